"""Retired passwords that are still tried, in rows of the list and on the page of their SMTP user."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from credentials.digests import digest
from credentials.models import LoginDay, RetiredPassword
from credentials.models.login_day import ALL_LOGINS
from credentials.outcome import Outcome
from tests.credentials.test_clients import HTMX, plain
from tests.factories import SYSTEM, make_credential, make_use, password_of
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
HOME = "203.0.113.7"
RESET_AT = datetime(2022, 4, 11, tzinfo=UTC)


def make_try(credential, password, ip=HOME, *, outcome=Outcome.WRONG_PASSWORD, **more):
    make_use(credential, ip, outcome=outcome, digest=digest(credential.username, password), **more)


def make_reset(credential):
    """Reset it; return the password that is retired now."""
    old = password_of(credential)
    credential.reset_password(by=SYSTEM)
    RetiredPassword.objects.filter(username=credential.username, why="reset").update(since=RESET_AT)
    return old


def row(client, credential):
    page = text(client.get(smtp_url(credential.domain)))
    return plain(page[page.index(f'id="cred-{credential.username}"') :].partition("</tr>")[0]).replace(
        " .", "."
    )


def test_row_shows_who_still_tries_the_password_from_before_a_reset(as_alice, credential):
    make_try(credential, make_reset(credential), number=37, at=timezone.now() - timedelta(minutes=2))
    said = row(as_alice, credential)
    told = "still tries the password that was reset on Apr 11, 2022 (37 times, last 2 minutes ago )."
    assert f"{HOME} {told}" in said
    assert "Give that site the new password. Connect your site" in said
    assert f'href="{credential.username}/#connect"' in text(as_alice.get(smtp_url(credential.domain)))


def test_single_try_is_one_time(as_alice, credential):
    make_try(credential, make_reset(credential))
    assert "(1 time, last just now )." in row(as_alice, credential)


@pytest.mark.parametrize(("number", "more"), [(2, "1 more address"), (3, "2 more addresses")])
def test_several_addresses_are_summed_up_after_the_last_one(as_alice, credential, number, more):
    old = make_reset(credential)
    for each in range(number):
        make_try(credential, old, f"192.0.2.{each}", number=2, at=timezone.now() - timedelta(minutes=each))
    said = row(as_alice, credential)
    told = f"still try the password that was reset on Apr 11, 2022 ({2 * number} times"
    assert f"192.0.2.0 and {more} {told}" in said
    assert "Give those sites the new password." in said


def test_addresses_beyond_the_bound_are_not_named(as_alice, credential):
    make_try(credential, make_reset(credential))
    LoginDay.objects.exclude(username=ALL_LOGINS).update(ip="")
    assert "Addresses that aren't listed still try the password" in row(as_alice, credential)


def test_known_address_is_named_beside_those_beyond_the_bound(as_alice, credential):
    """How many are beyond it is not known, so no number is shown."""
    old = make_reset(credential)
    make_try(credential, old, "192.0.2.1", at=timezone.now() - timedelta(minutes=1))
    make_try(credential, old, "192.0.2.2")
    LoginDay.objects.filter(ip="192.0.2.2").update(ip="")
    assert "192.0.2.1 and addresses that aren't listed still try the password" in row(as_alice, credential)


def test_row_shows_who_tries_a_suspended_credential(as_alice, credential):
    credential.suspend(by=SYSTEM)
    make_try(credential, password_of(credential), outcome=Outcome.SUSPENDED)
    said = row(as_alice, credential)
    assert f"{HOME} still tries this suspended SMTP user (1 time" in said
    assert "new password" not in said
    credential.resume(by=SYSTEM)
    assert "still tries" not in row(as_alice, credential)


@pytest.mark.parametrize(("days", "is_told"), [(6.9, True), (7.1, False)])
def test_row_shows_tries_for_a_week(as_alice, credential, days, is_told):
    make_try(credential, make_reset(credential), at=timezone.now() - timedelta(days=days))
    assert ("still tries" in row(as_alice, credential)) is is_told


def test_row_shows_the_two_retired_passwords_tried_last(as_alice, credential):
    for number in range(4):
        make_try(credential, make_reset(credential), f"192.0.2.{number}")
    said = row(as_alice, credential)
    assert said.count("still tries") == 2 and "192.0.2.3" in said and "192.0.2.2" in said


def test_tries_stay_in_the_row_after_an_act(as_alice, credential):
    make_try(credential, make_reset(credential))
    response = as_alice.post(smtp_url(credential, "label"), {"label": "Shop"}, headers=HTMX)
    assert "still tries the password" in plain(text(response))


def test_tries_in_rows_cost_one_query(as_alice, domain, django_assert_num_queries):
    for _ in range(10):
        credential = make_credential(domain)
        old = make_reset(credential)
        for number in range(3):
            make_try(credential, old, f"192.0.2.{number}")
    with django_assert_num_queries(6):
        assert text(as_alice.get(smtp_url(domain))).count(" still try ") == 10


def test_viewer_sees_tries_of_retired_passwords(client, bob, credential):
    make_try(credential, make_reset(credential))
    client.force_login(bob)
    assert f"{HOME} still tries" in row(client, credential)


def test_page_lists_addresses_that_try_retired_passwords(as_alice, credential):
    old = make_reset(credential)
    for number in range(3):
        make_try(credential, old, f"192.0.2.{number}", number=number + 1)
    make_try(credential, old, "192.0.2.9", at=timezone.now() - timedelta(days=8))
    said = plain(text(as_alice.get(smtp_url(credential, "page"))))
    said = said[said.index("Retired passwords still being tried") :]
    for number in range(3):
        assert f"192.0.2.{number} Reset on Apr 11, 2022 {number + 1} Just now" in said
    assert "192.0.2.9" not in said


def test_page_lists_only_so_many_tries(as_alice, credential, monkeypatch):
    monkeypatch.setattr("credentials.views.page_context.TRIES_LISTED", 2)
    old = make_reset(credential)
    for number in range(3):
        make_try(credential, old, f"192.0.2.{number}")
    assert "Only the last 2 are shown." in text(as_alice.get(smtp_url(credential, "page")))
