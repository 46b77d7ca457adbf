"""The Overview of a domain: tiles, what needs attention, the chart."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential
from credentials.outcome import Outcome
from domains.models import Domain
from tests.credentials.test_clients import plain
from tests.credentials.test_still_tried import make_reset, make_try
from tests.factories import SYSTEM, make_credential, make_domain, make_use, password_of
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
URL = "/domains/sl.example.com/"
CALM = "Nothing needs attention."


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def page(as_alice):
    return lambda: plain(text(as_alice.get(URL))).replace(" .", ".").replace(" )", ")")


def make(domain, *, created=0, used=None, expires=None, **fields):
    """A credential; times are in days from now."""
    now = timezone.now()
    times = {"created_at": created, "last_used_at": used, "expires_at": expires}
    days = {name: now + timedelta(days=at) for name, at in times.items() if at is not None}
    return make_credential(domain, **days, **fields)


def tiles(page):
    found = re.search(
        r"In use (\d+) .*? Unused (\d+) .*? Expiring (\d+) .*? Suspended (\d+) .*? Refused (\d+) ", page
    )
    return tuple(map(int, found.groups()))


def test_the_tiles_count_what_credentials_do(page, domain, now):
    make(domain, used=-29.9)
    make(domain, used=-30.1)
    make(domain, used=-90.1)
    make(domain)
    make(domain, created=-91)
    make(domain, used=-31, last_refused_at=now)
    make(domain, used=-1, expires=6.9)
    make(domain, used=-1, expires=7.1)
    make(domain, used=-1, expires=-50)
    make(domain, used=-1, expires=-50, suspended_at=now)
    make(make_domain("other.example.com"), used=-1, expires=1)
    assert tiles(page()) == (4, 2, 2, 1, 1)
    assert "10 SMTP users · last used" in page()


def test_overview_without_credentials_shows_zeros_and_no_attention(page, domain):
    assert tiles(page()) == (0, 0, 0, 0, 0)
    assert CALM in page() and "No site or app has logged in." in page() and "never used" in page()


def test_new_and_used_credentials_need_no_attention(page, domain):
    make(domain, created=-6.9)
    make(domain, created=-400, used=-1)
    assert CALM in page()


def test_retired_password_in_use_needs_attention(page, as_alice, domain):
    credential = make(domain, label="Shop")
    make_try(credential, make_reset(credential), number=37)
    said = page()
    told = "203.0.113.7 still tries the password that was reset on Apr 11, 2022"
    assert f"Shop {credential.username[:8]}… : {told}" in said
    assert "Give that site the new password. Connect your site Who uses it" in said
    assert "old password" not in said and CALM not in said
    assert f'href="{smtp_url(domain)}{credential.username}/#connect"' in text(as_alice.get(URL))


def test_deleted_smtp_user_in_use_needs_attention(page, domain):
    credential = make(domain, label="Old <b>blog")
    old = make_reset(credential)
    make_try(credential, old)  # of what is gone, this is old news
    password = password_of(credential)
    credential.remove(by=SYSTEM)
    make_try(credential, password, "192.0.2.4", outcome=Outcome.UNKNOWN_USERNAME, number=4)
    make_try(credential, old, "192.0.2.4", outcome=Outcome.UNKNOWN_USERNAME)
    said = page()
    name = f"Old &lt;b&gt;blog {credential.username[:8]}…"
    assert f"192.0.2.4 still tries the deleted SMTP user {name} (5 times, last just now)." in said
    assert "Give that site the credentials of another SMTP user." in said and "was reset on" not in said


def test_suspended_smtp_user_in_use_needs_attention(page, domain):
    credential = make(domain, used=-1)
    credential.suspend(by=SYSTEM)
    make_try(credential, password_of(credential), outcome=Outcome.SUSPENDED)
    assert "still tries this suspended SMTP user (1 time" in page()
    assert "It's refused until it's resumed." in page()


def test_expiring_and_unused_credentials_need_attention_in_order(page, domain):
    make(domain, label="Idle", created=-8)
    make(domain, label="Fair", used=-1, expires=3)
    make(domain, label="Christmas", used=-1, expires=-3)
    said = re.sub(r"[0-9A-F]{8}… ", "", page())
    first, second, third = (said.index(f"{name} : it ") for name in ("Christmas", "Fair", "Idle"))
    assert first < second < third
    assert re.search(r"Christmas : it expired on \w+ \d+, \d+ and is refused\.", said)
    assert re.search(r"Fair : it expires in 3 days , on \w+ \d+, \d+\.", said)
    assert re.search(r"Idle : it hasn't been used since it was added on \w+ \d+, \d+\.", said)


def test_expiry_link_is_only_for_managers(client, alice, bob, domain):
    make(domain, used=-1, expires=1)
    for who, offered in ((alice, True), (bob, False)):
        client.force_login(who)
        assert ("/#limits" in text(client.get(URL))) is offered


def test_overview_lists_five_of_a_kind_and_counts_the_rest(page, domain):
    for number in range(7):
        make(domain, created=-8)
        credential = make(domain, used=-1)
        make_try(credential, make_reset(credential), f"192.0.2.{number}")
    said = page()
    assert said.count("hasn't been used since it was added") == said.count("still tries") == 5
    assert said.count("and 2 more") == 2


def test_overview_lists_refusals_since_yesterday_by_cause(page, domain, now):
    shop, blog = make(domain, used=-1, label="Shop"), make(domain, used=-1, label="Blog")
    make_use(shop, outcome=Outcome.WRONG_PASSWORD, number=2, at=now - timedelta(minutes=5))
    make_use(blog, outcome=Outcome.WRONG_PASSWORD, number=1200, at=now - timedelta(minutes=9))
    make_use(blog, "192.0.2.9", outcome=Outcome.NETWORK_NOT_ALLOWED, at=now - timedelta(hours=25))
    said = page()
    assert re.search(
        rf"Shop {shop.username[:8]}… and 1 more: 1,202 logins refused since yesterday \(wrong password\), "
        r"the last 5 minutes ago from 203\.0\.113\.7\.",
        said,
    )
    assert "network not allowed" not in said


def test_refusals_have_the_newest_cause_first_and_none_of_deleted_smtp_users(page, domain, now):
    shop, gone = make(domain, used=-1, label="Shop"), make(domain, used=-1, label="Gone")
    for each, (credential, outcome) in enumerate(
        [(gone, Outcome.WRONG_PASSWORD), (shop, Outcome.NETWORK_NOT_ALLOWED), (shop, Outcome.WRONG_PASSWORD)]
    ):
        make_use(credential, outcome=outcome, number=each + 1, at=now - timedelta(minutes=each))
    theirs = make(make_domain("other.example.com"), used=-1)
    make_use(theirs, outcome=Outcome.EXPIRED, at=now)
    gone.remove(by=SYSTEM)
    told = re.findall(r"(\d+ logins?) refused since yesterday \(([^)]+)\)", page())
    assert told == [("2 logins", "network not allowed"), ("3 logins", "wrong password")]


def test_lost_ownership_needs_attention(page, domain, now):
    Domain.objects.filter(pk=domain.pk).update(ownership_gone_at=now)
    assert "The DNS record that proves ownership has been gone since" in page() and CALM not in page()


@pytest.mark.parametrize("change", [{"authorized_at": None}, {"suspended_at": timezone.now()}])
def test_domain_that_can_not_send_has_no_all_clear(page, domain, change):
    Domain.objects.filter(pk=domain.pk).update(**change)
    assert CALM not in page()


def test_the_chart_is_of_the_whole_domain_deleted_ones_too(page, as_alice, domain, now):
    gone, kept = make(domain), make(domain)
    make_use(gone, number=400, at=now - timedelta(days=3))
    make_use(kept, number=12, at=now)
    make_use(kept, number=3, outcome=Outcome.EXPIRED, at=now)
    make_use(make(make_domain("other.example.com")), number=99)
    gone.remove(by=SYSTEM)
    response = text(as_alice.get(URL))
    assert 'aria-label="412 logins accepted and 3 refused in the last 30 days"' in response
    assert "style=" not in response


@pytest.mark.parametrize(("number", "queries"), [(0, 6), (5, 9), (50, 9)])
def test_overview_needs_constant_queries(as_alice, domain, number, queries, django_assert_num_queries):
    for each in range(number):
        credential = make(domain, created=-8, expires=each)
        make_try(credential, make_reset(credential), f"192.0.2.{each}")
        make_use(credential, outcome=Outcome.WRONG_PASSWORD, at=timezone.now() - timedelta(hours=each % 24))
    # Session, person, domain with role, figures, days, events; where there are some, credentials in trouble,
    # retired passwords that are tried, and refusals.
    with django_assert_num_queries(queries):
        assert as_alice.get(URL).status_code == 200


def test_overview_is_whole_for_viewers_and_404_for_strangers(client, bob, carol, domain):
    credential = make(domain, used=-1)
    make_try(credential, make_reset(credential))
    client.force_login(bob)
    assert "still tries" in text(client.get(URL))
    client.force_login(carol)
    assert client.get(URL).status_code == 404


def test_overview_changes_nothing(as_alice, domain):
    credential = make(domain)
    make_try(credential, make_reset(credential))
    before = list(Credential.objects.values())
    as_alice.get(URL)
    assert as_alice.post(URL).status_code == 405
    assert list(Credential.objects.values()) == before
