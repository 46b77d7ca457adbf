"""The domain pages through HTTP: list, dropdown, add, overview, home."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from domains.models import Domain, Membership
from tests.factories import make_credential, make_domain, make_user
from tests.http import text

pytestmark = pytest.mark.django_db
MEMBERS_PAGES = ["", "activity/", *(f"settings/{tab}" for tab in ("", "dns/", "smtp/", "members/"))]


def names(response):
    return list(dict.fromkeys(re.findall(r'href="/domains/([a-z0-9.-]+\.[a-z0-9.-]+)/', text(response))))


def test_home_with_one_domain_is_its_overview(as_alice, domain):
    assert as_alice.get("/")["Location"] == "/domains/sl.example.com/"


def test_home_with_no_or_several_domains_is_the_list(as_alice, alice, domain):
    make_domain("b.example.com", owner=alice)
    assert as_alice.get("/")["Location"] == "/domains/"
    Domain.objects.all().delete()
    assert as_alice.get("/")["Location"] == "/domains/"
    assert "Add your first domain" in text(as_alice.get("/domains/"))


def test_list_shows_only_own_domains(as_alice, alice, carol, domain):
    make_domain("a.example.com", owner=alice, authorized=False)
    make_domain("other.example.com", owner=carol)
    assert names(as_alice.get("/domains/")) == ["a.example.com", "sl.example.com"]


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/domains/", 6),
        ("/domains/menu/", 6),
        ("/domains/sl.example.com/", 8),
        ("/domains/sl.example.com/settings/dns/", 6),
    ],
)
def test_queries_do_not_grow_with_domains(as_alice, alice, domain, path, most):
    counts = []
    for number in range(20):
        make_credential(make_domain(f"d{number}.example.com", owner=alice))
        if number in (2, 19):
            with CaptureQueriesContext(connection) as queries:
                assert as_alice.get(path).status_code == 200
            counts.append(len(queries))
    assert counts[0] == counts[1] <= most


def test_dropdown_keeps_current_page(as_alice, domain):
    pages = {"overview": "", "activity": "activity/", "dns": "settings/dns/", "x": ""}
    pages |= {"general": "settings/", "smtp": "settings/smtp/", "members": "settings/members/"}
    for page, path in pages.items():
        answer = text(as_alice.get("/domains/menu/", {"tab": page, "current": "sl.example.com"}))
        assert f'href="/domains/sl.example.com/{path}" aria-current="true"' in answer


@pytest.mark.parametrize("path", MEMBERS_PAGES)
def test_navigation_marks_the_page_that_is_open(as_alice, domain, path):
    url = f"/domains/sl.example.com/{path}"
    page = text(as_alice.get(url))
    marked = re.findall(r'<a href="([^"]+)" aria-current="page"', page)
    settings = ["/domains/sl.example.com/settings/"] if path.startswith("settings/") else []
    assert marked == [*settings, url]
    tab = path.removeprefix("settings/").rstrip("/") or ("general" if settings else "overview")
    assert f'hx-get="/domains/menu/?tab={tab}&amp;current=sl.example.com"' in page


def test_dropdown_searches_by_name(as_alice, alice, domain):
    make_domain("d7.example.com", owner=alice)
    assert 'aria-label="Search domains and SMTP users"' in text(as_alice.get("/domains/"))
    assert names(as_alice.get("/domains/menu/", {"q": "D7"})) == ["d7.example.com"]
    assert "Nothing matches “&lt;b&gt;”" in text(as_alice.get("/domains/menu/", {"q": "<b>"}))


def test_dropdown_lists_500_domains_and_links_to_all(as_alice, alice):
    owned = Domain.objects.bulk_create(Domain(name=f"d{number}.example.com") for number in range(505))
    Membership.objects.bulk_create(Membership(user=alice, domain=domain, role="owner") for domain in owned)
    answer = as_alice.get("/domains/menu/")
    assert len(names(answer)) == 500
    assert "Show all" in text(answer)


def test_added_domain_is_pending_and_shows_next_step(as_alice, alice):
    response = as_alice.post("/domains/add/", {"name": " Example.COM. "}, follow=True)
    domain = Domain.objects.get()
    assert (domain.name, domain.state, domain.created_by) == ("example.com", "pending", alice)
    assert domain.memberships.get().role == "owner"
    assert "Domain added." in text(response)
    assert response.redirect_chain == [("/domains/example.com/settings/dns/", 302)]
    assert f"sendlayer-verification={domain.verification_token}" in text(response)
    assert 'href="/domains/example.com/settings/dns/">Open DNS Records' in text(
        as_alice.get("/domains/example.com/")
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required"),
        ("com", "has no ending"),
        ("127.0.0.1", "An IP address"),
        ("https://example.org/x", "Did you mean example.org?"),
        ("a\x00b.com", "Null characters"),
        ("sl.example.com", "already in your list"),
        ("SL.EXAMPLE.COM.", "already in your list"),
        ("x" * 2000, "at most 1000 characters"),
        ("   ", "Enter a domain name"),
        ("example.org\n", "no spaces or line breaks"),
        ("co.uk", "Anyone can have a name under co.uk"),
        ("раypal.com", "mixes letters from different alphabets"),
        ("shop.test", "are not on the public Internet"),
        ("SMTP.sendlayer.net", "the name of this server"),
    ],
)
def test_invalid_name_is_explained_at_field(as_alice, domain, name, said):
    response = as_alice.post("/domains/add/", {"name": name})
    assert response.status_code == 422
    assert said in text(response)
    assert Domain.objects.count() == 1


def test_name_may_be_pending_in_two_accounts(as_alice, carol):
    make_domain("example.com", owner=carol, authorized=False)
    as_alice.post("/domains/add/", {"name": "example.com"})
    assert Domain.objects.filter(name="example.com").count() == 2


def test_international_name_is_shown_in_unicode(as_alice):
    page = text(as_alice.post("/domains/add/", {"name": "münchen.de"}, follow=True))
    assert "<bdi>münchen.de</bdi>" in page
    assert "(<bdi>xn--mnchen-3ya.de</bdi>)" in page


def test_name_that_looks_like_another_is_shown_in_punycode_first(as_alice):
    page = text(as_alice.post("/domains/add/", {"name": "аррӏе.com"}, follow=True))
    assert "<title>DNS Records · xn--80ak6aa92e.com" in page
    assert "<bdi>xn--80ak6aa92e.com</bdi>" in page and "(<bdi>аррӏе.com</bdi>)" in page


def test_name_of_server_can_be_added_by_staff_only(client):
    client.force_login(make_user("staff@example.com", is_staff=True))
    assert client.post("/domains/add/", {"name": "smtp.sendlayer.net"}).status_code == 302


def test_overview_links_to_next_step(as_alice, domain):
    make_credential(domain)
    assert "Next step: connect your site" in text(as_alice.get("/domains/sl.example.com/"))
    domain.credentials.update(last_used_at=timezone.now())
    assert "Next step" not in text(as_alice.get("/domains/sl.example.com/"))
    Domain.objects.update(suspended_at=timezone.now())
    assert "Domain suspended." in text(as_alice.get("/domains/sl.example.com/"))


@pytest.mark.parametrize("path", MEMBERS_PAGES)
def test_strangers_and_former_members_get_404(client, domain, bob, carol, path):
    domain.memberships.filter(user=bob).delete()
    for person in (bob, carol, make_user("staff@example.com", is_staff=True)):
        client.force_login(person)
        assert client.get(f"/domains/sl.example.com/{path}").status_code == 404


@pytest.mark.parametrize("path", MEMBERS_PAGES)
def test_member_sees_all_pages(client, bob, domain, path):
    client.force_login(bob)
    assert client.get(f"/domains/sl.example.com/{path}").status_code == 200
    assert client.post(f"/domains/sl.example.com/{path}").status_code == 405


def test_deactivated_member_is_signed_out(client, bob, domain):
    client.force_login(bob)
    type(bob).objects.filter(pk=bob.pk).update(is_active=False)
    assert client.get("/domains/sl.example.com/").status_code == 302
