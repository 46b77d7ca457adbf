"""Trouble with a credential: its last refusal, the causes behind it on its page, and that nobody uses it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from credentials.models.login_day import LoginDay
from credentials.outcome import CAUSES, Outcome
from tests.factories import SYSTEM, make_credential, make_domain, make_use
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
IP = "203.0.113.7"
UNUSED = "Idle: no login for 90 days"


def refuse(credential, cause=Outcome.WRONG_PASSWORD, number=1, ip=IP, **ago):
    make_use(credential, ip, at=timezone.now() - timedelta(**ago), number=number, outcome=cause)


def plain(markup):
    """A page as a person reads it: without tags, each run of spaces as one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", markup))


def details(client, credential):
    return plain(text(client.get(smtp_url(credential, "page"))))


@pytest.mark.parametrize(("ago", "words"), [({"minutes": 5}, "5 minutes ago"), ({}, "just now")])
def test_row_shows_the_last_refused_login(as_alice, credential, ago, words):
    refuse(credential, **ago)
    page = text(as_alice.get(smtp_url(credential.domain)))
    assert f"Last refused {words} from {IP}: wrong password. Details" in plain(page)
    assert f'href="{credential.username}/#use"' in page


@pytest.mark.parametrize("cause", [Outcome(cause) for cause in CAUSES if cause != "unknown_username"])
def test_every_cause_is_named_in_the_row_and_has_advice(as_alice, credential, cause):
    refuse(credential, cause, minutes=5)
    assert f"from {IP}: {cause.label}." in plain(text(as_alice.get(smtp_url(credential.domain))))
    said = details(as_alice, credential)
    assert re.search(rf"{cause.label.capitalize()} 1 time Last 5 minutes ago from {IP} [A-Z][^.]+\.", said)


@pytest.mark.parametrize(("days", "is_told"), [(6.9, True), (7.1, False)])
def test_row_shows_a_refusal_for_a_week(as_alice, credential, days, is_told):
    refuse(credential, days=days)
    assert ("Last refused" in text(as_alice.get(smtp_url(credential.domain)))) is is_told


def test_refusals_in_rows_cost_no_query(as_alice, domain, django_assert_num_queries):
    for number in range(10):
        refuse(make_credential(domain, allowed_networks="192.0.2.0/24"), number=number + 1)
    with django_assert_num_queries(5):  # as without any
        assert "Last refused" in text(as_alice.get(smtp_url(domain)))


def test_refusal_stays_in_the_row_after_an_act(as_alice, credential):
    refuse(credential)
    response = as_alice.post(smtp_url(credential, "label"), {"label": "Shop"}, headers=HTMX)
    assert "Last refused" in text(response)


def test_details_sum_up_30_days_by_cause_newest_first(as_alice, credential):
    refuse(credential, Outcome.SUSPENDED, 4, ip="198.51.100.1", days=3)
    refuse(credential, Outcome.WRONG_PASSWORD, 2, ip="198.51.100.2", days=2)
    refuse(credential, Outcome.WRONG_PASSWORD, 5, minutes=5)
    refuse(credential, Outcome.EXPIRED, days=31)
    refuse(make_credential(credential.domain), Outcome.NETWORK_NOT_ALLOWED, 9)
    said = details(as_alice, credential).partition("Refused logins")[2].partition("History")[0]
    first, second = (
        said.index(f"Wrong password 7 times Last 5 minutes ago from {IP}"),
        said.index("Suspended 4 times"),
    )
    assert first < second
    assert "from 198.51.100.1" in said
    for absent in ("198.51.100.2", "Expired", "Network not allowed"):
        assert absent not in said


def test_details_cost_the_same_with_any_number_of_days(as_alice, credential, django_assert_num_queries):
    for days in range(30):
        for cause in (Outcome.WRONG_PASSWORD, Outcome.SUSPENDED, Outcome.EXPIRED):
            refuse(credential, cause, days=days)
    # Session, person, domain with role, credential, logins, names, links, events.
    with django_assert_num_queries(8):
        assert as_alice.get(smtp_url(credential, "page")).status_code == 200


def test_details_without_refusals_are_left_out(as_alice, credential):
    assert "Refused logins" not in details(as_alice, credential)


def test_details_of_a_refused_network_link_to_allowed_networks(client, alice, bob, credential):
    refuse(credential, Outcome.NETWORK_NOT_ALLOWED)
    for who, leads in ((alice, True), (bob, False)):
        client.force_login(who)
        page = text(client.get(smtp_url(credential, "page")))
        assert ('edit=networks">Edit allowed networks' in page) is leads


def test_viewer_sees_the_details_and_stranger_gets_404(client, bob, carol, credential):
    refuse(credential)
    client.force_login(bob)
    assert "Last refused" in text(client.get(smtp_url(credential.domain)))
    assert IP in details(client, credential)
    client.force_login(carol)
    assert client.get(smtp_url(credential, "page")).status_code == 404


def test_details_of_another_domains_credential_are_404(as_alice, credential):
    theirs = make_credential(make_domain("other.example.com"))
    refuse(theirs)
    path = smtp_url(credential, "page").replace(credential.username, theirs.username)
    assert as_alice.get(path).status_code == 404


def test_details_are_read_only(as_alice, credential):
    refuse(credential)
    before = list(LoginDay.objects.values()), list(Credential.objects.values()), Event.objects.count()
    as_alice.get(smtp_url(credential, "page"))
    for method in ("post", "put", "patch", "delete"):
        assert getattr(as_alice, method)(smtp_url(credential, "page")).status_code == 405
    assert (list(LoginDay.objects.values()), list(Credential.objects.values())) == before[:2]
    assert Event.objects.count() == before[2]


def test_details_of_a_deleted_credential_say_that_it_is_gone(as_alice, credential):
    credential.remove(by=SYSTEM)
    response = as_alice.get(smtp_url(credential, "page"))
    assert response.status_code == 404
    assert "This SMTP user no longer exists." in text(response)


@pytest.mark.parametrize(
    ("created", "used", "badge"),
    [
        (0, None, "Never used"),
        (400, None, "Never used"),
        (400, 29.9, "In use"),
        (400, 30.1, None),
        (400, 89.9, None),
        (400, 90.1, UNUSED),
    ],
)
def test_row_says_whether_it_is_used(as_alice, domain, created, used, badge):
    now = timezone.now()
    last_used_at = now - timedelta(days=used) if used else None
    make_credential(domain, created_at=now - timedelta(days=created), last_used_at=last_used_at)
    page = text(as_alice.get(smtp_url(domain)))
    shown = [name for name in ("Never used", "In use", UNUSED) if f">{name}</span>" in page]
    assert shown == ([badge] if badge else [])


def test_suspended_credential_is_not_marked_as_unused(as_alice, domain):
    old = timezone.now() - timedelta(days=400)
    make_credential(domain, created_at=old, suspended_at=old)
    page = text(as_alice.get(smtp_url(domain)))
    assert UNUSED not in page and ">Suspended</span>" in page
