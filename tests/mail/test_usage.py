"""LAST USED and refusals of Postfix and Dovecot, through the real `manage.py reports`."""

import json
import time
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from credentials import digests
from credentials.models import Credential
from credentials.models.login_day import ALL_LOGINS, LoginDay
from credentials.outcome import Outcome
from tests.factories import SYSTEM, password_of
from tests.mail.clients import Mail
from tests.mail.daemons import mail_server
from tests.mail.reports import reporting, serving
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]


def used(credential):
    credential.refresh_from_db()
    return credential.last_used_at


def refusals():
    """Of credentials that are there: what an earlier test left may be counted as unknown by now."""
    rows = LoginDay.objects.exclude(username__in=("", ALL_LOGINS)).exclude(outcome=Outcome.ACCEPTED)
    rows = rows.filter(username__in=Credential.objects.values("username")).values("outcome")
    return {row["outcome"]: row["total"] for row in rows.annotate(total=Sum("count"))}


def is_unknown_told():
    return LoginDay.objects.filter(username="", outcome="unknown_username").exists()


def test_login_is_shown_within_seconds(mail, credential):
    before = timezone.now()
    mail.login(credential, source="127.0.0.9")
    at = wait_until(lambda: used(credential))
    assert before <= at <= timezone.now()
    assert credential.last_used_ip == "127.0.0.9"
    assert refusals() == {}


def test_last_used_is_written_at_most_once_a_minute(mail, credential):
    mail.login(credential, source="127.0.0.1")
    first = wait_until(lambda: used(credential))
    mail.login(credential, source="127.0.0.2")
    mail.try_login(credential.username, "wrong")
    wait_until(refusals)  # reported after that login, so it has been seen
    assert used(credential) == first
    assert credential.last_used_ip == "127.0.0.1"
    Credential.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    mail.login(credential, source="127.0.0.2")
    wait_until(lambda: used(credential) and credential.last_used_ip == "127.0.0.2")


def test_reported_refusals_are_counted_with_their_cause(mail, credential):
    password = password_of(credential)
    for _ in range(3):
        mail.try_login(credential.username, "wrong", source="127.0.0.5")
    wait_until(lambda: refusals() == {"wrong_password": 3})
    credential.suspend(by=SYSTEM)
    mail.try_login(credential.username, password)
    wait_until(lambda: refusals().get("suspended") == 1)
    mail.try_login("0" * 32, password)
    wait_until(is_unknown_told)
    assert used(credential) is None
    assert (credential.last_refused_cause, credential.last_refused_ip) == ("suspended", "127.0.0.1")


def test_expired_credential_and_suspended_domain_are_told_apart(mail, credential):
    password = password_of(credential)
    Credential.objects.update(expires_at=timezone.now())
    mail.try_login(credential.username, password)
    wait_until(lambda: refusals() == {"expired": 1})
    Credential.objects.update(expires_at=None)
    type(credential.domain).objects.update(suspended_at=timezone.now())
    mail.try_login(credential.username, password)
    wait_until(lambda: refusals() == {"expired": 1, "domain_suspended": 1})


def test_old_password_in_a_rotation_is_no_refusal(mail, credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    assert mail.try_login(credential.username, old)[0] == 235
    wait_until(lambda: used(credential))
    assert refusals() == {}


def test_live_check_does_not_count_as_use(mail, credential):
    credential.note_check("127.0.0.1")
    mail.login(credential, source="127.0.0.1")
    mail.try_login(credential.username, "wrong", source="127.0.0.1")
    mail.try_login("0" * 32, "x")
    wait_until(is_unknown_told)
    assert refusals() == {}
    assert used(credential) is None
    mail.login(credential, source="127.0.0.2")
    wait_until(lambda: used(credential))


def test_mail_works_while_the_dashboard_is_down(mail_database, credential, tmp_path):
    to = reporting(digests.nonce())
    password = password_of(credential)
    with mail_server(mail_database, reports=to) as server:
        mail = Mail(server)
        started = time.monotonic()
        replies = [mail.try_login(credential.username, password)[0] for _ in range(20)]
        assert replies == [235] * 20
        # A login that waited for a report's 2 s would take 40 in all.
        assert time.monotonic() - started < 20
        assert mail.try_login(credential.username, "wrong")[0] == 535
        assert used(credential) is None
        with serving(to, tmp_path / "log"):
            wait_until(lambda: mail.login(credential) and used(credential), 30)


def test_reports_with_a_wrong_secret_count_nothing_and_mail_works(mail_database, credential, reports, mail):
    with mail_server(mail_database, reports=reports._replace(secret="x" * 40)) as server:
        other = Mail(server)
        assert other.try_login(credential.username, password_of(credential))[0] == 235
        assert other.try_login(credential.username, "wrong")[0] == 535
    mail.try_login("0" * 32, "x")
    wait_until(is_unknown_told)
    assert refusals() == {}
    assert used(credential) is None


UNKNOWN = {"login": "0" * 32, "session": f"{'0' * 32}.previous", "remote": "127.0.0.1", "success": False}


@pytest.mark.parametrize(
    ("body", "authorization", "status"),
    [
        (UNKNOWN, "right", 200),
        (UNKNOWN | {"login": "sl_secret-word", "remote": "::ffff:127.0.0.1"}, "right", 200),
        (UNKNOWN | {"login": 5}, "right", 200),
        (UNKNOWN, "wrong", 401),
        (UNKNOWN, None, 401),
        (UNKNOWN | {"remote": "nonsense"}, "right", 400),
        (UNKNOWN | {"remote": None}, "right", 400),
        (UNKNOWN | {"session": None}, "right", 400),
        (UNKNOWN | {"success": "yes"}, "right", 400),
        ({"login": "0" * 32}, "right", 400),
        ([], "right", 400),
        (b"\xff\xfe", "right", 400),
        (b"[" * 3000, "right", 400),
        (b"", "right", 400),
        (b" " * 5000, "right", 413),
    ],
)
def test_endpoint_accepts_only_reports(reports, body, authorization, status):
    port, secret = reports.port, reports.secret
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/?command=report", body)
    if authorization:
        request.add_header("Authorization", f"Bearer {secret if authorization == 'right' else 'x' * 43}")
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert answer.status == status


@pytest.mark.parametrize("secret", ["", "short", "é" * 40])
def test_endpoint_does_not_start_without_a_long_secret(tmp_path, secret):
    running = serving(reporting("")._replace(secret=secret), tmp_path / "log")
    with pytest.raises(RuntimeError, match="REPORTS_SECRET"), running:
        pass


def test_login_during_a_database_outage_is_no_refusal(reports, credential, mail):
    port, secret = reports.port, reports.secret
    name = credential.username
    for session in (name, f"{name}.1", f"{name}.0"):
        body = json.dumps(UNKNOWN | {"login": name, "session": session}).encode()
        headers = {"Authorization": f"Bearer {secret}"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/?command=report", body, headers)
        urllib.request.urlopen(request, timeout=60).close()
    mail.try_login("0" * 32, "x")
    wait_until(is_unknown_told)
    assert refusals() == {}
