"""A password changes while a site logs in continuously."""

from datetime import timedelta

import pytest

from tests.factories import SYSTEM, password_of
from tests.submission import rotating
from tests.submission.clients import auth_plain, submit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def login(listener):
    def login(username, password):
        smtp = listener.secure()
        code = auth_plain(smtp, username, password)[0]
        smtp.close()
        return code

    return login


def test_no_login_is_refused_during_a_rotation(login, as_alice, credential):
    rotating.rotate_under(login, as_alice, credential)


def test_old_password_is_refused_after_the_grace_period(login, credential):
    rotating.hold_on_to_the_old_password(login, credential)


def test_session_of_a_revoked_password_cannot_send(login, smtp, credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    assert submit(smtp)[0] == 250
    credential.revoke_old_password(by=SYSTEM)
    assert submit(smtp)[0] == 421
    assert [login(credential.username, password) for password in (old, password_of(credential))] == [535, 235]
