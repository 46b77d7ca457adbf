"""The drill: a backup under load, the database lost and restored, and all acknowledged changes are back."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential, PasswordChanged
from operations.backups import archive
from tests.factories import SYSTEM, make_credential, password_of
from tests.http import sign_in
from tests.submission.clients import auth_plain

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 4
# Errors of a writer that read the data from before the restore.
NOT_SEEN = (Credential.DoesNotExist, PasswordChanged)


@dataclass
class Life:
    """When each act on a credential began, and when it was acknowledged."""

    acts: list = field(default_factory=list)  # (name, began, acknowledged)

    def done(self, name, at):
        return sum(act == name and acknowledged < at for act, _began, acknowledged in self.acts)

    def begun(self, name, at):
        return sum(act == name and began < at for act, began, _acknowledged in self.acts)


class Load:
    """Threads that add, reset and delete credentials until the block ends."""

    def __init__(self, domain):
        self.domain, self.lives, self._over = domain, {}, threading.Event()

    def __enter__(self):
        self._pool = ThreadPoolExecutor(WRITERS)
        self._running = [self._pool.submit(self._write) for _ in range(WRITERS)]
        return self

    def wait(self, number):
        """Wait until that many more credentials were made."""
        wanted = len(self.lives) + number
        while len(self.lives) < wanted and not any(future.done() for future in self._running):
            threading.Event().wait(0.02)

    def __exit__(self, *_error):
        self._over.set()
        self._pool.shutdown()
        self.errors = [future.exception() for future in self._running if future.exception()]

    def _write(self):
        try:
            for number in itertools.count():
                if self._over.is_set():
                    return
                began = timezone.now()
                credential, _password = self.domain.credentials.issue(by=SYSTEM)
                life = self.lives[credential.username] = Life([("created", began, timezone.now())])
                self._act(life, "reset", credential.reset_password)
                if number % 2:
                    self._act(life, "deleted", credential.remove)
        finally:
            connection.close()

    def _act(self, life, name, act):
        began = timezone.now()
        act(by=SYSTEM)
        life.acts.append((name, began, timezone.now()))


def test_backup_under_load_holds_all_acknowledged_changes(
    domain, backup, restore, lose_database, start_listener
):
    kept = [make_credential(domain) for _ in range(3)]
    logins = [(credential.username, password_of(credential)) for credential in kept]
    with Load(domain) as load:
        load.wait(10)
        path = backup()
        over = timezone.now()
        load.wait(5)
    assert not load.errors
    with archive.read(path) as (_file, manifest, _doubt):
        stamp = datetime.fromisoformat(manifest["taken_at"])
    lose_database()
    assert "It can't be known" in restore(path)
    call_command("verify_store")
    restored = dict(Credential.objects.values_list("username", "password_number"))
    before = {name: life for name, life in load.lives.items() if life.done("created", stamp)}
    assert len(before) >= 8
    for username, life in before.items():
        if life.done("deleted", stamp):
            assert username not in restored
        elif not life.begun("deleted", over):
            assert life.done("reset", stamp) < restored[username] <= 1 + life.begun("reset", over)
    with start_listener() as listener:
        assert [auth_plain(listener.secure(), *login)[0] for login in logins] == [235] * 3


def test_running_listener_refuses_what_was_reset_or_deleted_since_backup(
    client, alice, domain, listener, backup, restore
):
    same, reset, deleted = (make_credential(domain) for _ in range(3))
    old = [(credential.username, password_of(credential)) for credential in (same, reset, deleted)]
    cookie = sign_in(client, alice)
    assert [auth_plain(listener.secure(), *login)[0] for login in old] == [235] * 3
    path = backup()
    reset.reset_password(by=SYSTEM)
    deleted.remove(by=SYSTEM)
    assert cookie.get("/domains/sl.example.com/").status_code == 200
    output = restore(path)
    assert [auth_plain(listener.secure(), *login)[0] for login in old] == [235, 535, 535]
    rows = Credential.objects.filter(suspended_at__isnull=False, suspended_by_support=None)
    assert {row.username for row in rows} == {reset.username, deleted.username}
    assert f"{reset.short_username} of sl.example.com: its password was reset after that" in output
    assert f"{deleted.short_username} of sl.example.com: it was deleted after that" in output
    assert cookie.get("/domains/sl.example.com/")["Location"].startswith("/login/")
    # Somebody has looked: it works again, with the old password.
    rows.get(pk=reset.pk).resume(by=SYSTEM)
    assert auth_plain(listener.secure(), *old[1])[0] == 235
    call_command("verify_store")


def test_restore_under_load_keeps_data_consistent(domain, backup, restore):
    credential = make_credential(domain)
    path = backup()
    with Load(domain) as load:
        load.wait(5)
        restore(path)
        load.wait(5)
    # A writer whose rows are gone gets an error; nobody waits forever, and nothing is half done.
    assert [error for error in load.errors if not isinstance(error, NOT_SEEN)] == []
    assert Credential.objects.filter(pk=credential.pk).exists()
    call_command("verify_store")


def test_restored_database_can_be_backed_up_and_restored_again(domain, backup, restore):
    """Also where nothing was added since: new rows get numbers after the old ones."""
    for name in ("first", "second"):
        restore(backup(name))
    before = set(Event.objects.values_list("pk", flat=True))
    domain.credentials.issue(by=SYSTEM)
    (added,) = set(Event.objects.values_list("pk", flat=True)) - before
    assert added > max(before)
    call_command("migrate", "audit", "0003", verbosity=0)
    call_command("migrate", "audit", verbosity=0)
    call_command("verify_audit")
