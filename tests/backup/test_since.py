"""What was revoked since the backup stays revoked, as far as anything shows it."""

import json
from datetime import timedelta

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.emails import Letter
from accounts.models import User
from audit import chain
from audit.actor import Actor
from audit.models import Event
from credentials.models import Credential, HandOver, SuspendedBySupport
from credentials.models.deleted import DeletedCredential
from domains.general import actions as general
from domains.members import actions as members
from domains.models import Domain
from domains.models.invitation import Invitation
from tests.accounts.codes import code_of, make_totp
from tests.backup.conftest import manage
from tests.factories import PASSWORD, SYSTEM, make_credential, make_domain, make_user
from vault import cipher, keyring

pytestmark = pytest.mark.django_db(transaction=True)


def expire(credential):
    Credential.objects.filter(pk=credential.pk).update(expires_at=timezone.now())


def revoke(credential):
    Credential.objects.filter(pk=credential.pk).update(previous_verifier="", previous_valid_until=None)


ACTS = [
    (lambda credential: credential.reset_password(by=SYSTEM), "its password was reset after that"),
    (lambda credential: credential.remove(by=SYSTEM), "it was deleted after that"),
    (lambda credential: credential.suspend(by=SYSTEM), "it was suspended after that"),
    (
        lambda credential: credential.set_networks("192.0.2.0/24", by=SYSTEM),
        "its allowed networks were changed after that",
    ),
    (lambda credential: general.delete(credential.domain, by=SYSTEM), "it was deleted after that"),
    (expire, "its expiry date was changed after that"),
    (revoke, "its old password was revoked after that"),
]


@pytest.mark.parametrize(("act", "why"), ACTS)
def test_credential_changed_since_backup_comes_back_suspended_with_reason(
    client, alice, domain, backup, restore, act, why
):
    credential, other = make_credential(domain, label="Shop"), make_credential(make_domain("b.example.com"))
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(days=1))
    path = backup()
    act(credential)
    output = restore(path)
    assert f"{credential.short_username} of sl.example.com (Shop): {why}" in output
    assert not Credential.objects.get(pk=other.pk).suspended_at
    assert Credential.objects.get(pk=credential.pk).suspended_at
    event = Event.objects.get(credential=credential.username, tag="credential.suspended")
    assert event.actor_name == "restore" and event.data["reason"].endswith(f"UTC: {why}")
    client.force_login(User.objects.get(pk=alice.pk))
    assert why in client.get("/domains/sl.example.com/activity/").content.decode()
    call_command("verify_store")


def test_additions_uses_and_labels_since_backup_suspend_nothing(domain, backup, restore):
    credential = make_credential(domain)
    path = backup()
    make_credential(domain)
    credential.rename("Shop", by=SYSTEM)
    Credential.objects.filter(pk=credential.pk).update(last_used_at=timezone.now())
    assert "Suspended" not in restore(path)
    assert Credential.objects.get().suspended_at is None
    event = Event.objects.get(tag="system.restored")
    assert event.data["compared"] is True and event.domain is None


def test_suspended_credential_reset_since_backup_is_listed(domain, backup, restore):
    credential = make_credential(domain)
    credential.suspend(by=SYSTEM)
    path = backup()
    credential.reset_password(by=SYSTEM)
    assert "its password was reset after that; it was suspended already" in restore(path)


def test_suspension_by_support_since_backup_is_kept(domain, backup, restore):
    """Also where a member had suspended it before, or deleted it after."""
    fresh, taken_over, deleted = (make_credential(domain) for _ in range(3))
    taken_over.suspend(by=SYSTEM)
    path = backup()
    for credential in (fresh, taken_over, deleted):
        credential.suspend(by=SYSTEM, reason="spam", as_support=True)
    deleted.remove(by=SYSTEM)
    assert restore(path).count("it was suspended by support after that") == 2
    for row in Credential.objects.all():
        with pytest.raises(SuspendedBySupport):
            row.resume(by=SYSTEM)


def test_credential_undeleted_since_backup_comes_back_suspended(domain, backup, restore):
    credential = make_credential(domain)
    credential.remove(by=SYSTEM)
    path = backup()
    DeletedCredential.objects.get().restore(by=SYSTEM).reset_password(by=SYSTEM)
    output = restore(path)
    assert f"{credential.short_username} of sl.example.com: deleted, as at the backup" in output
    assert DeletedCredential.objects.get().restore(by=SYSTEM).suspended_at


def test_members_removed_or_demoted_since_backup_stay_so(alice, bob, carol, domain, backup, restore):
    domain.memberships.create(user=carol, role="manager")
    path = backup()
    members.remove(domain.memberships.get(user=bob), by=SYSTEM)
    members.transfer(domain.memberships.get(user=carol), by=Actor(alice.email, alice))
    output = restore(path)
    assert "sl.example.com: bob@example.com is removed from the members, as after the backup" in output
    roles = dict(Domain.objects.get().memberships.values_list("user__email", "role"))
    assert roles == {"alice@example.com": "manager", "carol@example.com": "owner"}


def test_last_owner_without_successor_is_reported(alice, domain, backup, restore):
    path = backup()
    dave = make_user("dave@example.com")
    domain.memberships.create(user=dave, role="viewer")
    members.transfer(domain.memberships.get(user=dave), by=Actor(alice.email, alice))
    output = restore(path)
    assert "alice@example.com was removed or demoted after the backup, but is its only owner now" in output
    assert Domain.objects.get().memberships.get(user=alice).role == "owner"


def test_people_keep_new_passwords_and_regain_no_rights(alice, bob, domain, backup, restore):
    User.objects.filter(pk=bob.pk).update(is_staff=True, is_superuser=True)
    gone = make_user("gone@example.com")
    path = backup()
    alice.set_password("a-new-password-of-alice")
    alice.save()
    User.objects.filter(pk=bob.pk).update(is_staff=False, is_superuser=False, is_active=False)
    gone.delete()
    output = restore(path)
    people = {user.email: user for user in User.objects.all()}
    assert people["alice@example.com"].check_password("a-new-password-of-alice")
    assert not people["alice@example.com"].check_password(PASSWORD)
    assert [people["bob@example.com"].is_staff, people["bob@example.com"].is_active] == [False, False]
    assert not people["gone@example.com"].is_active
    assert "bob@example.com has no more rights" in output and "gone@example.com was deleted" in output


def test_people_regain_no_way_to_sign_in_that_they_gave_up(alice, bob, domain, backup, restore):
    """A passkey on a lost phone, a mailbox that somebody else reads, an account at the provider."""
    for data in ({"passkey": "lost"}, {"passkey": "kept"}):
        Authenticator.objects.create(user=alice, type="webauthn", data=data)
    SocialAccount.objects.create(user=alice, provider="openid_connect", uid="given up")
    bob.groups.create(name="Helpers")
    gone = make_user("gone@example.com")
    path = backup()
    Authenticator.objects.filter(data__passkey="lost").delete()
    make_totp(bob, seed := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXQ")
    SocialAccount.objects.update(uid="new")
    bob.groups.clear()
    gone.delete()
    for user, email in ((alice, "x@example.com"), (bob, "alice@example.com"), (alice, "gone@example.com")):
        User.objects.filter(pk=user.pk).update(email=email)
    EmailAddress.objects.filter(user=bob).delete()  # as in a database of before addresses were confirmed
    EmailAddress.objects.filter(user=alice).update(email="gone@example.com")
    output = restore(path)
    kept = {authenticator.type: authenticator for authenticator in Authenticator.objects.all()}
    assert kept["webauthn"].data == {"passkey": "kept"}
    assert kept["totp"].user_id == bob.pk and kept["totp"].wrap().validate_code(code_of(seed))
    assert list(SocialAccount.objects.values_list("user", "uid")) == [(alice.pk, "new")]
    addresses = EmailAddress.objects.filter(verified=True, user__is_active=True).values_list("email", "user")
    assert dict(addresses) == {"gone@example.com": alice.pk, "alice@example.com": bob.pk}
    people = dict(User.objects.filter(is_active=True).values_list("email", "pk"))
    assert people == {"gone@example.com": alice.pk, "alice@example.com": bob.pk}
    assert not User.objects.get(pk=bob.pk).groups.exists()
    assert "gone@example.com is another person's since the backup" in output
    Authenticator.objects.create(user=alice, type="webauthn", data={})  # primary keys continue


def test_restore_voids_reset_links_and_sessions(client, alice, domain, backup, restore):
    client.force_login(alice)
    alice.refresh_from_db()
    link, session = default_token_generator.make_token(alice), alice.get_session_auth_hash()
    path = backup()
    alice.end_sessions()
    later = alice.get_session_auth_hash()
    restore(path)
    alice.refresh_from_db()
    assert not default_token_generator.check_token(alice, link)
    assert alice.get_session_auth_hash() not in (session, later)
    assert default_token_generator.check_token(alice, default_token_generator.make_token(alice))


def test_domains_suspended_or_deleted_since_backup_are_reported(domain, backup, restore):
    other = make_domain("b.example.com")
    path = backup()
    domain.suspend(by=SYSTEM, reason="spam")
    general.delete(other, by=SYSTEM)
    output = restore(path)
    assert "sl.example.com: suspended, as it was after the backup" in output
    assert "b.example.com: it was deleted after the backup, and is here again" in output
    assert Domain.objects.get(name="sl.example.com").suspended_at


def test_only_pending_invitations_and_letters_are_kept(alice, domain, backup, restore):
    for name in ("kept", "revoked"):
        members.invite([domain], [f"{name}@example.com"], "viewer", by=Actor(alice.email, alice))
    path = backup()
    Invitation.objects.get(email="revoked@example.com").revoke(by=SYSTEM)
    Letter.objects.get(to="revoked@example.com").delete()
    assert "dropped: 1, letters: 1." in restore(path)
    assert Invitation.objects.get().email == Letter.objects.get().to == "kept@example.com"


def test_credential_erased_since_backup_does_not_come_back(domain, backup, restore):
    fields = {"former_id": 1, "created_at": timezone.now(), "deleted_at": timezone.now(), "domain": domain}
    fields |= {"password_sealed": "v1.k1.x", "verifier": "x", "password_changed_at": timezone.now()}
    erased = DeletedCredential.objects.create(**fields)
    path = backup()
    erased.delete()
    restore(path)
    assert not DeletedCredential.objects.exists()


def exported(path):
    """What `export_audit` writes, with every other line as another exporter might have it."""
    call_command("export_audit", path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines[::2]:
        line |= {"domain": line.pop("domain_name"), "actor": line.pop("actor_name")}
        line["at"] = line["at"][:23] + "Z"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def test_exported_events_replace_a_lost_database(alice, bob, domain, backup, restore, lose_database, tmp_path):
    same, reset, back, deleted, narrowed, support = (make_credential(domain) for _ in range(6))
    same.reset_password(by=SYSTEM)
    other = make_credential(make_domain("b.example.com"))
    dave = domain.memberships.create(user=make_user("dave@example.com"), role="viewer")
    path = backup()
    reset.reset_password(by=SYSTEM)
    back.suspend(by=SYSTEM)
    back.resume(by=SYSTEM)
    deleted.remove(by=SYSTEM)
    narrowed.set_networks("192.0.2.0/24", by=SYSTEM)
    narrowed.suspend(by=SYSTEM)
    narrowed.resume(by=SYSTEM)
    support.suspend(by=SYSTEM, reason="spam", as_support=True)
    support.remove(by=SYSTEM)
    DeletedCredential.objects.get(username=support.username).restore(by=SYSTEM)
    members.remove(domain.memberships.get(user=bob), by=SYSTEM)
    members.transfer(dave, by=Actor(alice.email, alice))
    general.delete(other.domain, by=SYSTEM)
    events = exported(tmp_path / "events.jsonl")
    lose_database()
    output = restore(path, events=events)
    for credential, why in [
        (reset, "its password was reset"),
        (deleted, "it was deleted"),
        (narrowed, "its allowed networks were changed"),
        (support, "it was suspended"),
        (other, "it was deleted"),
    ]:
        assert f"{credential.short_username} of {credential.domain.name}: {why}" in output
    assert same.short_username not in output and back.short_username not in output
    assert "sl.example.com: bob@example.com is removed from the members" in output
    assert "sl.example.com: alice@example.com is manager, as after the backup" in output
    assert "b.example.com: it was deleted after the backup" in output
    assert "what came after the last of them is not known" in output
    assert Credential.objects.get(suspended_by_support=True) == support


def test_older_export_lifts_no_later_suspension(domain, backup, restore, tmp_path):
    """An older export must not lift what was suspended after it."""
    credential = make_credential(domain)
    path = backup()
    credential.suspend(by=SYSTEM)
    credential.resume(by=SYSTEM)
    events = exported(tmp_path / "events.jsonl")
    credential.suspend(by=SYSTEM)
    assert "it was suspended after that" in restore(path, events=events)
    assert Credential.objects.get().suspended_at


def test_malformed_events_are_refused_before_any_change(domain, backup, restore, tmp_path):
    path, events = backup(), tmp_path / "events"
    at = '"at": "2026-01-01T00:00Z"'
    strange = ("[" * 100_000, f'{{"tag": ["x"], {at}}}', f'{{"tag": "x", "credential": {{"a": 1}}, {at}}}')
    for line in ("x", "{}", '{"tag": "x", "at": "2026-01-01"}', '{"tag": "x", "at": 1}', "[]", *strange):
        events.write_text(line)
        with pytest.raises(CommandError, match="line 1: no event .* Nothing was changed"):
            restore(path, events=events)


def test_restore_without_source_warns_and_can_suspend_all(domain, backup, lose_database, restore):
    credential = make_credential(domain)
    path = backup()
    lose_database()
    output = restore(path, replace=False)
    assert "The replaced database was empty. It can't be known which" in output and "Suspended" not in output
    # A second time, the database that was restored so must not pass for one that knows.
    assert "without knowing what was revoked since. It can't be known which" in restore(path)
    output = restore(path, suspend_all=True)
    assert (
        f"{credential.short_username} of sl.example.com: what happened to it after that is not known" in output
    )


def test_database_that_does_not_continue_from_backup_is_not_compared(domain, backup, restore):
    path = backup("first")
    make_credential(domain)
    later = backup("later")
    restore(path)
    make_credential(domain)
    assert "does not continue from this backup. It can't be known" in restore(later)


def test_restore_without_keys_is_sealed_and_still_suspends(settings, domain, backup, restore):
    assert keyring.examine() == ""
    credential, taken_over = make_credential(domain), make_credential(domain)
    taken_over.suspend(by=SYSTEM)
    path = backup()
    credential.remove(by=SYSTEM)
    taken_over.suspend(by=SYSTEM, reason="spam", as_support=True)
    settings.CREDENTIAL_KEYS = f"k2:{cipher.new_key()}"
    chain.open_key.cache_clear()  # as in a process of its own
    output = restore(path, unauthenticated=True)
    assert "CREDENTIAL_KEYS lacks k1" in output and "The server is sealed: CREDENTIAL_KEYS lacks" in output
    assert Credential.objects.get(pk=credential.pk).suspended_at
    assert Credential.objects.get(pk=taken_over.pk).suspended_by_support
    assert Event.objects.filter(tag="credential.suspended", credential=credential.username).exists()


OLDER_BACKUP = """
from django.core.management import call_command
from accounts.models import User
call_command("migrate", "credentials", "0003", verbosity=0)
call_command("migrate", "accounts", verbosity=0)
User.objects.create(email="a@example.com")
call_command("backup", "{path}")
"""
CHECKS = """
from django.core.management import call_command
call_command("migrate", check_unapplied=True)
call_command("makemigrations", check_changes=True)
call_command("verify_store")
"""


def test_backup_of_older_version_is_migrated(new_database, tmp_path):
    old, new, path = new_database(), new_database(), tmp_path / "old"
    code, output = manage("shell", "-v0", "-c", OLDER_BACKUP.format(path=path), DATABASE_URL=old)
    assert code == 0, output
    for options in ((), ("--replace", "--yes")):
        code, output = manage("restore", path, *options, DATABASE_URL=new)
        assert code == 0 and "People: 1," in output
    code, output = manage("shell", "-v0", "-c", CHECKS, DATABASE_URL=new)
    assert code == 0, output


def test_new_rows_get_new_primary_keys_after_restore(domain, backup, restore):
    make_credential(domain).remove(by=SYSTEM)
    last = make_credential(domain)
    path = backup()
    restore(path)
    assert make_credential(Domain.objects.get()).pk > last.pk


def test_failed_restore_leaves_sequences_intact(domain, backup, restore, monkeypatch):
    path = backup()
    make_credential(domain)
    monkeypatch.setattr("audit.record", lambda *_args, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        restore(path)
    monkeypatch.undo()
    make_credential(domain)


@pytest.mark.parametrize("is_lost", [False, True])
def test_restore_revokes_open_hand_over_links(client, alice, domain, backup, restore, lose_database, is_lost):
    """One may have been opened or revoked since the backup, which nobody knows where the database is lost."""
    credential, by = make_credential(domain), Actor(alice.email, alice)
    opened, kept = (credential.hand_overs.make(timedelta(days=7), by=by) for _ in range(2))
    path = backup()
    visitor = Actor.system("visitor")
    opened[0].show(by=visitor)
    if is_lost:
        lose_database()
    assert "Hand-over links revoked: 2." in restore(path)
    for _link, key in (opened, kept):
        assert client.post(f"/hand-over/key/{key}/").status_code == 410
    assert not HandOver.objects.filter(revoked_at=None).exists()
