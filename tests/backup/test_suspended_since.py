"""What support suspended since the backup stays suspended: names of domains, and SMTP users that come back."""

import pytest

from credentials.models import Credential, SuspendedBySupport
from credentials.models.deleted import DeletedCredential
from domains.general import actions as general
from domains.members import actions as members
from domains.models import Domain, NameSuspended
from tests.backup.test_since import exported
from tests.factories import SYSTEM, make_credential, make_domain, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_suspension_by_support_survives_undo_and_deletion(domain, backup, restore):
    """It is deleted in the backup, so nothing can suspend it before it is restored."""
    deleted, live, own = (make_credential(domain) for _ in range(3))
    for credential in (deleted, live, own):
        credential.remove(by=SYSTEM)
    path = backup()
    for credential in (deleted, live, own):
        DeletedCredential.objects.get(username=credential.username).restore(by=SYSTEM)
    for credential in (deleted, live):
        Credential.objects.get(pk=credential.pk).suspend(by=SYSTEM, reason="spam", as_support=True)
    Credential.objects.get(pk=deleted.pk).remove(by=SYSTEM)
    restore(path)
    for row in DeletedCredential.objects.all():
        restored = row.restore(by=SYSTEM)
        assert restored.suspended_at
        if restored.pk == own.pk:
            assert restored.resume(by=SYSTEM)
        else:
            with pytest.raises(SuspendedBySupport):
                restored.resume(by=SYSTEM)


def test_domain_added_again_and_suspended_comes_back_suspended(alice, domain, backup, restore):
    path = backup()
    general.delete(domain, by=SYSTEM)
    again = make_domain("sl.example.com", owner=alice)
    again.suspend(by=SYSTEM, reason="spam")
    assert "sl.example.com: suspended, as it was after the backup" in restore(path)
    restored = Domain.objects.get()
    assert restored.pk == domain.pk and restored.suspended_at


def test_suspended_name_missing_in_backup_stays_suspended(alice, carol, backup, restore):
    squatted = make_domain("b.example.com", owner=carol, authorized=False)
    path = backup()
    for name in ("b.example.com", "c.example.com"):
        make_domain(name, owner=alice, authorized=False).suspend(by=SYSTEM, reason="spam")
    make_domain("d.example.com", owner=alice).suspend(by=SYSTEM)
    Domain.objects.get(name="d.example.com").resume(by=SYSTEM)
    output = restore(path)
    for name in ("b.example.com", "c.example.com"):
        assert f"{name}: added without members and suspended, as the name was after the backup" in output
        held = Domain.objects.get(name=name, suspended_at__isnull=False)
        assert not held.memberships.exists()
        with pytest.raises(NameSuspended):
            make_domain(name, owner=make_user(f"x@{name}"), authorized=False).authorize(by=SYSTEM)
        held.resume(by=SYSTEM)
    assert squatted.authorize(by=SYSTEM)
    assert not Domain.objects.filter(name="d.example.com").exists()


def test_exported_events_keep_names_suspended(alice, domain, backup, restore, lose_database, tmp_path):
    path = backup()
    make_domain("c.example.com", owner=alice).suspend(by=SYSTEM)
    make_domain("d.example.com", owner=alice).suspend(by=SYSTEM)
    Domain.objects.get(name="d.example.com").resume(by=SYSTEM)
    domain.suspend(by=SYSTEM)
    events = exported(tmp_path / "events.jsonl")
    lose_database()
    output = restore(path, events=events)
    assert "sl.example.com: suspended, as it was after the backup" in output
    assert "c.example.com: added without members and suspended" in output and "d.example.com" not in output


def test_exported_events_keep_a_member_made_owner_again(bob, domain, backup, restore, lose_database, tmp_path):
    path = backup()
    members.remove(domain.memberships.get(user=bob), by=SYSTEM)
    members.make_owner(domain, bob, by=SYSTEM)
    events = exported(tmp_path / "events.jsonl")
    lose_database()
    assert "bob@example.com is owner, as after the backup" in restore(path, events=events)
