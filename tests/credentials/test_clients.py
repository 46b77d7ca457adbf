"""Who used a credential in 30 days: on its page, and in what the dialogs ask."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.digests import digest
from credentials.models import LoginDay
from credentials.models.login_day import MAX_ADDRESSES
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from tests.factories import SYSTEM, make_credential, make_domain, make_use, password_of
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
HOME, OFFICE = "203.0.113.7", "2001:db8::7"
HOSTILE = "<img src=x onerror=alert(1)>'\"{{7*7}}"


def plain(markup):
    """A page as a person reads it: without tags, each run of spaces as one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", markup))


def read(client, credential, act="page", **query):
    return plain(text(client.get(smtp_url(credential, act), query)))


def send(credential, *messages, ip=HOME):
    """Messages of a client, each as (EHLO name, MAIL FROM)."""
    tally = Tally()
    for ehlo, mail_from in messages:
        tally.add_message(credential.username, ip, ehlo=ehlo, mail_from=mail_from)
    tally.write()


def addresses(response):
    return re.findall(r'<tr><th scope="row"><strong>([^<]+)</strong>', text(response))


@pytest.fixture
def now():
    return timezone.now()


def test_client_shows_its_names_logins_and_times(as_alice, credential, now):
    make_use(credential, HOME, at=now - timedelta(days=20), number=1200)
    make_use(credential, HOME, at=now - timedelta(minutes=5), number=3, outcome=Outcome.WRONG_PASSWORD)
    send(credential, ("shop.example", "info@sl.example.com"))
    said = read(as_alice, credential)
    assert (
        f"{HOME} EHLO shop.example MAIL FROM info@sl.example.com 1,200 accepted 3 refused, last: wrong password"
        in said
    )
    assert re.search(r"Just now first \w{3} \d+, \d{4}", said)  # by its message


def test_clients_are_listed_newest_first_10_a_page(as_alice, credential, now):
    for number in range(14):
        make_use(credential, f"192.0.2.{number}", at=now - timedelta(minutes=number))
    all_of_them = [f"192.0.2.{number}" for number in range(14)]
    assert addresses(as_alice.get(smtp_url(credential, "page"))) == all_of_them[:10]
    assert addresses(as_alice.get(smtp_url(credential, "page"), {"clients": "2"})) == all_of_them[10:]
    assert addresses(as_alice.get(smtp_url(credential, "page"), {"clients": "\x00"})) == all_of_them[:10]


def test_client_shows_the_cause_of_its_last_refusal(as_alice, credential, now):
    make_use(credential, at=now - timedelta(days=3), outcome=Outcome.EXPIRED)
    make_use(credential, at=now - timedelta(days=2), outcome=Outcome.NETWORK_NOT_ALLOWED)
    make_use(credential, at=now - timedelta(days=1))
    assert "2 refused, last: network not allowed" in read(as_alice, credential)


def test_chart_has_a_summary_and_a_table(as_alice, credential, now):
    make_use(credential, at=now - timedelta(days=29), number=5)
    make_use(credential, OFFICE, at=now, number=1200)
    make_use(credential, at=now, number=2, outcome=Outcome.EXPIRED)
    make_use(credential, at=now - timedelta(days=30), number=99)
    page = text(as_alice.get(smtp_url(credential, "page")))
    assert 'role="img" aria-label="1,205 logins accepted and 2 refused in the last 30 days"' in page
    assert (
        page.count('<rect class="chart-accepted" x=') == 2
        and page.count('<rect class="chart-refused" fill="url(#hatch)" x=') == 1
    )
    assert re.search(r"Show as table .* 1,200 2 .* 5 0 Days without", plain(page))
    assert "style=" not in page


@pytest.mark.parametrize("message", [(HOSTILE, ""), ("", HOSTILE)], ids=["ehlo", "mail_from"])
def test_hostile_name_of_a_client_is_shown_as_text(as_alice, credential, message):
    make_use(credential)
    send(credential, message)
    page = text(as_alice.get(smtp_url(credential, "page")))
    assert "<bdi>&lt;img src=x onerror=alert(1)&gt;&#39;&#34;{{7*7}}</bdi>" in page
    assert "<img" not in page


def test_client_with_many_names_shows_the_last_three(as_alice, credential):
    make_use(credential)
    for number in (*range(9), 4):
        send(credential, (f"host-{number}", ""))
    LoginDay.objects.filter(username=credential.username).update(day=timezone.now() - timedelta(days=1))
    send(credential, ("host-2", ""), ("host-10", ""))
    assert "host-10 , host-2 , host-4 and 7 more" in read(as_alice, credential)


def test_addresses_beyond_the_bound_show_as_other_addresses(as_alice, credential, monkeypatch):
    monkeypatch.setattr("credentials.usage.writer.MAX_ADDRESSES", 1)
    for number in range(3):
        make_use(credential, f"192.0.2.{number}")
    page = as_alice.get(smtp_url(credential, "page"))
    assert set(addresses(page)) == {"192.0.2.0", "Other addresses"}
    assert f"After the first {MAX_ADDRESSES} addresses of a day, all others are counted together" in text(page)


@pytest.mark.parametrize(
    ("days", "said"),
    [(None, "It has never been used."), (40, "It was last used")],
    ids=["never", "long ago"],
)
def test_page_without_clients_says_why(as_alice, domain, now, days, said):
    credential = make_credential(domain, last_used_at=now - timedelta(days=days) if days else None)
    page = read(as_alice, credential)
    assert "No client in the last 30 days" in page and said in page


def make_clients(credential, number):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM)
    for each in range(number):
        ip = f"192.0.2.{each}"
        make_use(credential, ip, at=timezone.now() - timedelta(days=each % 30))
        make_use(credential, ip, outcome=Outcome.WRONG_PASSWORD, digest=digest(credential.username, old))
        send(credential, (f"a{each}", ""), (f"b{each}", "info@sl.example.com"), ip=ip)


@pytest.mark.parametrize("number", [5, 50])
def test_queries_do_not_grow_with_clients(as_alice, credential, number, django_assert_num_queries):
    make_clients(credential, number)
    # Session, person, domain with role, credential, logins, names, tries, links, events; and of the last reset:
    # its event, which mail servers have seen it, mail servers, last accepted login.
    with django_assert_num_queries(13):
        assert as_alice.get(smtp_url(credential, "page")).status_code == 200


def test_page_shows_no_clients_of_other_credentials(as_alice, credential):
    make_use(credential)
    other = make_credential(credential.domain)
    make_use(other, OFFICE)
    send(other, ("other.example", ""), ip=HOME)
    page = text(as_alice.get(smtp_url(credential, "page")))
    assert HOME in page and OFFICE not in page and "other.example" not in page


def test_viewer_sees_all_clients_and_stranger_gets_404(client, bob, carol, credential):
    make_clients(credential, 2)
    client.force_login(bob)
    said = read(client, credential)
    assert "192.0.2.1" in said and "b1" in said and "Retired passwords still being tried" in said
    client.force_login(carol)
    assert client.get(smtp_url(credential, "page")).status_code == 404


def test_clients_of_another_domains_credential_are_404(as_alice, credential):
    theirs = make_credential(make_domain("other.example.com"))
    path = smtp_url(credential, "page").replace(credential.username, theirs.username)
    assert as_alice.get(path).status_code == 404


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("act", ["reset", "delete"])
def test_reset_and_delete_list_the_clients_of_24_hours(as_alice, credential, now, act, headers):
    make_use(credential, "198.51.100.4", at=now - timedelta(hours=23))
    make_use(credential, HOME, at=now - timedelta(minutes=1))
    make_use(credential, "192.0.2.1", at=now - timedelta(hours=25))
    make_use(credential, "192.0.2.2", at=now, outcome=Outcome.WRONG_PASSWORD)
    page = text(as_alice.get(smtp_url(credential, act), headers=headers))
    assert "2 clients in the last 24 hours : 203.0.113.7, 198.51.100.4 " in plain(page)
    assert f'<a href="{smtp_url(credential, "page")}#use">' in page


def test_dialogs_list_three_of_many_clients(as_alice, credential, now):
    for number in range(5):
        make_use(credential, f"192.0.2.{number}", at=now - timedelta(minutes=number))
    assert "5 clients in the last 24 hours : 192.0.2.0, 192.0.2.1, 192.0.2.2 and 2 more" in read(
        as_alice, credential, "reset"
    )
    LoginDay.objects.filter(ip="192.0.2.0").update(ip="")
    assert "More than 4 clients in the last 24 hours : 192.0.2.1," in read(as_alice, credential, "delete")


def test_dialogs_without_clients_list_none(as_alice, credential, now):
    make_use(credential, at=now - timedelta(hours=25))
    assert "in the last 24 hours" not in read(as_alice, credential, "delete")
