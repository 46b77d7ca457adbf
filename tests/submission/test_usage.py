"""Usage counted by the listener: last use, and refusals with their cause."""

import pytest
from django.utils import timezone

from credentials.models import Credential
from credentials.models.login_day import ALL_LOGINS, LoginDay
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_credential, password_of
from tests.submission.clients import auth_plain, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def refusals():
    rows = LoginDay.objects.exclude(username=ALL_LOGINS).exclude(outcome=Outcome.ACCEPTED)
    return {row.outcome: (row.count, row.ip) for row in rows}


@pytest.fixture(autouse=True)
def nothing_is_left(listener, domain):
    """Let the listener write the counts of earlier tests, then delete them."""
    last = make_credential(domain)
    auth_plain(listener.secure(), last.username, "wrong")
    wait_until(LoginDay.objects.filter(username=last.username).exists)  # and all that came before
    LoginDay.objects.all().delete()
    last.delete()


def login(listener, credential, password, source="127.0.0.1"):
    return auth_plain(listener.secure(source=source), credential.username, password)[0]


def test_listener_counts_refusals_with_their_cause(listener, credential):
    password = password_of(credential)
    for _ in range(3):
        assert login(listener, credential, "wrong", "127.0.0.5") == 535
    credential.suspend(by=SYSTEM)
    assert login(listener, credential, password) == 535
    credential.resume(by=SYSTEM)
    Credential.objects.update(expires_at=timezone.now())
    assert login(listener, credential, password) == 535
    assert auth_plain(listener.secure(), "0" * 32, password)[0] == 535
    assert auth_plain(listener.secure(), password, password)[0] == 535
    wait_until(lambda: sum(count for count, _ip in refusals().values()) >= 7)
    assert refusals() == {
        "wrong_password": (3, "127.0.0.5"),
        "suspended": (1, "127.0.0.1"),
        "expired": (1, "127.0.0.1"),
        "unknown_username": (2, "127.0.0.1"),
    }
    credential.refresh_from_db()
    assert (credential.last_refused_cause, credential.last_refused_ip) == ("expired", "127.0.0.1")
    assert credential.last_used_at is None


def test_listener_recognizes_passwords_that_were_padded_or_cut(listener, credential):
    password = password_of(credential)
    for padded in (f"{password}\n", f" {password}", f"{password}\r\n"):
        assert login(listener, credential, padded) == 535
    for length in (20, 24, 30, 32):
        assert login(listener, credential, password[:length]) == 535
    assert login(listener, credential, "no-password-of-ours\n") == 535
    wait_until(lambda: sum(count for count, _ip in refusals().values()) >= 8)
    causes = {cause: count for cause, (count, _ip) in refusals().items()}
    assert causes == {"padded_password": 3, "cut_password": 4, "wrong_password": 1}
    assert "outcome=padded_password" in listener.log.read_text()


@pytest.mark.parametrize(
    ("networks", "source", "allowed"),
    [
        ("127.0.0.2", "127.0.0.2", True),
        ("127.0.0.2", "127.0.0.3", False),
        ("2001:db8::/32, 127.0.0.0/29", "127.0.0.7", True),
        ("2001:db8::/32, 127.0.0.0/29", "127.0.0.8", False),
        ("::1", "127.0.0.1", False),
    ],
)
def test_login_from_other_networks_is_refused(listener, credential, networks, source, allowed):
    credential.set_networks(networks, by=SYSTEM)
    assert login(listener, credential, password_of(credential), source) == (235 if allowed else 535)
    if not allowed:
        wait_until(lambda: refusals() == {"network_not_allowed": (1, source)})


def test_live_check_counts_neither_as_use_nor_as_refusal(listener, credential):
    password = password_of(credential)
    credential.note_check("127.0.0.1")
    assert login(listener, credential, password) == 235
    assert login(listener, credential, "wrong") == 535
    assert login(listener, credential, "wrong", "127.0.0.2") == 535
    wait_until(lambda: refusals() == {"wrong_password": (1, "127.0.0.2")})
    credential.refresh_from_db()
    assert credential.last_used_at is None


def test_counts_are_written_before_the_listener_ends(start_listener, credential):
    with start_listener() as listener:
        assert login(listener, credential, "wrong") == 535
    assert refusals() == {"wrong_password": (1, "127.0.0.1")}
