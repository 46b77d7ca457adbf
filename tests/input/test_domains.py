"""D: text that users paste as a domain name."""

import pytest

from domains import names
from domains.models import Domain
from tests.factories import make_domain, make_user
from tests.http import sign_in, text
from tests.input.catalogue import row, rows
from tests.input.judging import Browser

pytestmark = pytest.mark.django_db

LONG = ".".join(["a" * 63] * 3)


@pytest.fixture
def add(owner, domain):
    def add(name):
        return owner.post("/domains/add/", {"name": name})

    return add


def added() -> set[str]:
    return set(Domain.objects.exclude(name="sl.example.com").values_list("name", flat=True))


@rows(
    "name, stored",
    D1=("Example.COM", "example.com"),
    D2=("example.com.", "example.com"),
    D6=("münchen.de", "xn--mnchen-3ya.de"),
    D7=("faß.de", "xn--fa-hia.de"),
    D10=("аррӏе.com", "xn--80ak6aa92e.com"),
    D35=("a" * 63 + ".com", "a" * 63 + ".com"),
    D37=(f"{LONG}.{'b' * 57}.com", f"{LONG}.{'b' * 57}.com"),  # 253
    D34b=("  example.com  ", "example.com"),
)
def test_valid_domain_name_is_stored_in_one_form(add, name, stored):
    assert add(name)["Location"] == f"/domains/{stored}/settings/dns/"
    assert added() == {stored}
    again = add(name)
    assert again.status_code == 422 and "is already in your list" in text(again)


@rows(
    "name, said",
    D3=("example.com..", "isn't a valid domain name"),
    D4=(".example.com", "isn't a valid domain name"),
    D5=("ex..com", "isn't a valid domain name"),
    D11=("раypal.com", "mixes letters"),
    D18=("a\u200db.com", "invisible"),
    D19=("a\u202eb.com", "changes the writing direction"),
    D20=("💩.la", "isn't a valid domain name"),
    D21=("_dmarc.example.com", "underscore"),
    D22=("a_b.example.com", "underscore"),
    D23=("-a.com", "isn't a valid domain name"),
    D24=("a-.com", "isn't a valid domain name"),
    D25=("ab--cd.com", "isn't a valid domain name"),
    D26=("*.example.com", "wildcard"),
    D27=("http://example.com/", "Did you mean example.com?"),
    D28=("user@example.com", "Did you mean example.com?"),
    D29=("example.com:25", "Did you mean example.com?"),
    D30=("example.com/path", "Did you mean example.com?"),
    D31=("%65xample.com", "percent-encoded"),
    D32=("exam ple.com", "no spaces"),
    D33=("exa\x00mple.com", "Null characters are not allowed"),
    D33b=("exa\x1bmple.com", "control character"),
    D34=("example.com\n", "no spaces or line breaks"),
    D36=("a" * 64 + ".com", "too long"),
    D38=(f"{LONG}.{'b' * 58}.com", "too long"),
    D38b=("a." * 5000, "at most 1000 characters"),
    D39=("localhost", "has no ending"),
    D40=("com", "has no ending"),
    D41=("1.2.3", "end in a number"),
    D42=("example.123", "end in a number"),
    D43=("127.0.0.1", "An IP address"),
    D44=("[::1]", "An IP address"),
    D45=("co.uk", "Anyone can have a name"),
    D46=("github.io", "Anyone can have a name"),
    D47=("x.test", "are not on the public Internet"),
    D48=("x.local", "are not on the public Internet"),
    D49=("x.onion", "are not on the public Internet"),
    D49b=("😀" * 50, "isn't a valid domain name"),
    D49c=("<script>alert(1)</script>", "only the domain name"),
    D49d=("xn--a.com", "isn't a valid domain name"),
    D49e=("ö" * 1000, "too long"),
)
def test_invalid_domain_name_is_refused_with_what_to_do(add, name, said):
    response = add(name)
    assert response.status_code == 422 and said in text(response).replace("&#39;", "'")
    assert added() == set()


@row("D50")
def test_domain_name_of_the_service_is_for_staff(add, settings, domain):
    settings.SMTP_HOST, settings.ALLOWED_HOSTS = "smtp.sendlayer.net", ["app.sendlayer.net", "testserver"]
    for name in ("smtp.sendlayer.net", "SMTP.SendLayer.net.", "app.sendlayer.net"):
        assert "name of this server" in text(add(name))
    assert added() == set()
    staff = sign_in(Browser(), make_user("staff@example.com", is_staff=True))
    assert staff.post("/domains/add/", {"name": "smtp.sendlayer.net"}).status_code == 302


@rows("name", D51="taken.com", D52="mail.taken.com", D52b="taken.co")
def test_domain_name_of_another_user_stays_pending(add, name):
    make_domain("taken.com", owner=make_user("owner@taken.com"))
    assert add(name).status_code == 302
    domain = Domain.objects.filter(name=name).latest("pk")
    assert domain.authorized_at is None
    assert names.normalise(name) == name
