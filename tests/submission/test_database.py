"""An unavailable database is a temporary failure: never 535, never a crash."""

import asyncio
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, transaction

from credentials.models import Credential
from submission import write_behind
from tests import servers
from tests.audit.tampering import no_event_can_be_written
from tests.factories import password_of
from tests.submission.clients import MESSAGE, SENDER, auth_login, auth_plain, finish, submit, wait_until
from web.workers import Workers

pytestmark = pytest.mark.django_db(transaction=True)

LOGIN_UNAVAILABLE = (454, b"4.7.0 Temporary authentication failure")
INTERNAL_ERROR = (451, b"4.3.0 Internal error, try again later")


@contextmanager
def no_table():
    """The table is missing, as in an unfinished restore, so that every query of credentials fails."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credentials_credential RENAME TO credentials_away")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE credentials_away RENAME TO credentials_credential")


def test_login_gets_454_while_the_database_is_unavailable(secure, credential):
    password = password_of(credential)
    with no_table():
        assert auth_plain(secure, credential.username, password) == LOGIN_UNAVAILABLE
        assert auth_login(secure, credential.username, password) == LOGIN_UNAVAILABLE
    assert auth_plain(secure, credential.username, password)[0] == 235


def test_sender_gets_451_while_the_database_is_unavailable(smtp, credential):
    with no_table():
        assert smtp.docmd(f"MAIL FROM:<{SENDER}>") == INTERNAL_ERROR
    assert submit(smtp)[0] == 250


def test_message_gets_451_while_the_database_is_unavailable(smtp, outbox):
    for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    with no_table():
        assert finish(smtp, MESSAGE) == INTERNAL_ERROR
    assert outbox() == []
    assert submit(smtp)[0] == 250


@pytest.mark.parametrize("kind", ["no tables", "no server"])
def test_listener_starts_without_database_and_replies_454(start_listener, credential, tmp_path, kind):
    url = {
        "no tables": f"sqlite:///{tmp_path}/empty.sqlite3",
        "no server": f"postgres://nobody:secret-word@127.0.0.1:{servers.free_port()}/nothing",
    }[kind]
    with start_listener(DATABASE_URL=url) as listener:
        assert auth_plain(listener.secure(), credential.username, password_of(credential)) == LOGIN_UNAVAILABLE
        assert "secret-word" not in listener.log.read_text()


def test_login_does_not_wait_for_another_writer(listener, credential):
    password = password_of(credential)
    with transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(label="being renamed")
        assert auth_plain(listener.secure(), credential.username, password)[0] == 235
    wait_until(lambda: credential.refresh_from_db() or credential.last_used_at, 25)


def test_login_and_mail_work_while_no_event_can_be_written(listener, credential):
    with no_event_can_be_written():
        smtp = listener.secure()
        assert auth_plain(smtp, credential.username, password_of(credential))[0] == 235
        assert submit(smtp)[0] == 250


def test_failed_write_of_counts_is_logged_and_retried(monkeypatch, caplog):
    monkeypatch.setattr(write_behind, "WRITE_EVERY_SECONDS", (0.01, 0.01))
    faults = [RuntimeError("sl_secret"), OperationalError("sl_secret")]

    async def run():
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()

        class Tally:
            def write(self):
                if faults:
                    raise faults.pop(0)
                loop.call_soon_threadsafe(stopped.set)

        await asyncio.wait_for(write_behind.keep_writing(Tally(), Workers("counts", threads=1), stopped), 5)

    asyncio.run(run())
    assert "Writing counted logins failed: RuntimeError" in caplog.text and "sl_secret" not in caplog.text
