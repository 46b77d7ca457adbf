"""Postfix and Dovecot report who tries a retired password, and the names that clients give."""

import time

import pytest
from django.db.models import Sum

from credentials import digests
from credentials.models import Credential
from credentials.models.login_day import ALL_LOGINS, LoginDay
from credentials.outcome import Outcome
from credentials.passwords import generate
from tests.factories import SYSTEM, password_of
from tests.mail.clients import Mail
from tests.mail.daemons import mail_server
from tests.mail.reports import reporting
from tests.submission.clients import submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]
SHOP = "127.0.0.7"


def tries():
    rows = LoginDay.objects.filter(retired_password__why__isnull=False).select_related("retired_password")
    return {(row.username, row.retired_password.why, row.ip): row.count for row in rows}


def causes():
    """Of credentials that are there: what an earlier test left may be counted as unknown by now."""
    rows = LoginDay.objects.exclude(username__in=("", ALL_LOGINS)).exclude(outcome=Outcome.ACCEPTED)
    rows = rows.filter(username__in=Credential.objects.values("username")).values("outcome")
    return {row["outcome"]: row["total"] for row in rows.annotate(total=Sum("count"))}


def names(credential):
    """Those of this test: an earlier one's may be written now."""
    rows = LoginDay.objects.filter(username=credential.username).exclude(ehlo="", mail_from="")
    return [
        (ip, ehlo.splitlines(), mail_from.splitlines())
        for ip, ehlo, mail_from in rows.values_list("ip", "ehlo", "mail_from")
    ]


def test_password_from_before_a_reset_is_recognized_with_its_address(mail, credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM)
    for username, source in (
        (credential.username, SHOP),
        (f" {credential.username.lower()} ", SHOP),
        (credential.username, "127.0.0.8"),
    ):
        assert mail.try_login(username, old, source=source)[0] == 535
    known = {(credential.username, "reset", SHOP): 2, (credential.username, "reset", "127.0.0.8"): 1}
    wait_until(lambda: tries() == known)
    assert causes() == {"old_password": 3}
    assert mail.try_login(credential.username, password_of(credential))[0] == 235


def test_every_earlier_password_is_recognized(mail, credential):
    first = password_of(credential)
    for _ in range(2):
        credential.reset_password(by=SYSTEM)
    mail.try_login(credential.username, first, source=SHOP)
    wait_until(lambda: tries() == {(credential.username, "reset", SHOP): 1})


def test_password_of_a_deleted_credential_is_recognized(mail, credential):
    password = password_of(credential)
    credential.remove(by=SYSTEM)
    assert mail.try_login(credential.username, password, source=SHOP)[0] == 535
    wait_until(lambda: tries() == {(credential.username, "deleted", SHOP): 1})
    assert LoginDay.objects.filter(username=credential.username, outcome="unknown_username").exists()


def test_password_of_a_suspended_credential_is_recognized(mail, credential):
    credential.suspend(by=SYSTEM)
    assert mail.try_login(credential.username, password_of(credential), source=SHOP)[0] == 535
    wait_until(lambda: tries() == {(credential.username, "suspended", SHOP): 1})
    assert causes() == {"suspended": 1}


@pytest.mark.parametrize("suspended", [False, True])
def test_wrong_password_is_not_recognized(mail, credential, suspended):
    credential.reset_password(by=SYSTEM)
    if suspended:
        credential.suspend(by=SYSTEM)
    for wrong in ("wrong", generate(), "é", "x" * 300):
        assert mail.try_login(credential.username, wrong)[0] == 535
    wait_until(lambda: sum(causes().values()) == 4)
    assert causes() == {"suspended" if suspended else "wrong_password": 4} and tries() == {}


def test_no_digest_of_a_working_password_is_stored(mail, credential):
    mail.login(credential)
    mail.try_login("0" * 32, "x")
    wait_until(LoginDay.objects.filter(outcome="unknown_username").exists)
    assert tries() == {}


def test_message_records_ehlo_name_and_mail_from(mail, credential):
    smtp = mail.login(credential, source=SHOP)
    for _ in range(2):
        assert submit(smtp)[0] == 250
    wait_until(lambda: names(credential) == [(SHOP, ["client.example"], ["info@sl.example.com"])])
    day = LoginDay.objects.get(username=credential.username)
    assert (day.ip, day.outcome, day.count) == (SHOP, "accepted", 1)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "[203.0.113.7]", "h" * 255, "a\x1b[31mb"])
def test_recorded_name_may_contain_what_postfix_accepts(mail, credential, name):
    smtp = mail.login(credential)
    assert smtp.ehlo(name)[0] == 250
    assert submit(smtp)[0] == 250
    ((_ip, (shown,), _mail_from),) = wait_until(lambda: names(credential))
    assert shown.isprintable() and len(shown) <= 254


def test_refused_message_records_nothing(mail, credential):
    smtp = mail.login(credential)
    assert submit(smtp, sender="info@other.example")[0] == 553
    assert submit(smtp)[0] == 250
    wait_until(lambda: names(credential))
    assert [mail_from for _ip, _ehlo, mail_from in names(credential)] == [["info@sl.example.com"]]


def test_mail_works_while_reports_are_down(mail_database, credential, sink):
    nobody = reporting(digests.nonce())
    with mail_server(mail_database, relayhost=f"[127.0.0.1]:{sink.port}", reports=nobody) as server:
        smtp = Mail(server).login(credential)
        started = time.monotonic()
        replies = [submit(smtp)[0] for _ in range(5)]
        assert replies == [250] * 5
        # A refused connection costs Postfix a second's pause at most, never the message.
        assert time.monotonic() - started < 15
    assert names(credential) == []
