"""Delete, restore and erase, as Postfix and Dovecot see them from the moment of the commit."""

import pytest

from credentials.models.deleted import DeletedCredential
from tests.factories import SYSTEM, password_of
from tests.submission.clients import submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]


def delete(credential) -> DeletedCredential:
    credential.remove(by=SYSTEM)
    return DeletedCredential.objects.get(username=credential.username)


def test_restored_credential_is_accepted_at_once(mail, sink, credential):
    password = password_of(credential)
    deleted = delete(credential)
    assert mail.try_login(credential.username, password)[0] == 535
    restored = deleted.restore(by=SYSTEM)
    assert mail.try_login(credential.username, password)[0] == 235
    assert submit(mail.login(restored))[0] == 250
    assert wait_until(lambda: sink.sink.messages)[0][0] == "info@sl.example.com"


def test_repeated_restore_keeps_the_latest_state(mail, credential):
    password = password_of(credential)
    for _ in range(5):
        deleted = delete(credential)
        assert mail.try_login(credential.username, password)[0] == 535
        credential = deleted.restore(by=SYSTEM)
        assert mail.try_login(credential.username, password)[0] == 235


def test_erased_credential_stays_refused(mail, credential):
    password = password_of(credential)
    delete(credential).erase(by=SYSTEM)
    assert not DeletedCredential.objects.exists()
    assert mail.try_login(credential.username, password)[0] == 535


def test_suspended_credential_is_restored_suspended(mail, credential):
    password = password_of(credential)
    credential.suspend(by=SYSTEM)
    restored = delete(credential).restore(by=SYSTEM)
    assert mail.try_login(credential.username, password)[0] == 535
    restored.resume(by=SYSTEM)
    assert mail.try_login(credential.username, password)[0] == 235
