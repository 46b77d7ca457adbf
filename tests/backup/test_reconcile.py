"""What a failover lost is revoked again, by what web nodes noted. To lose it, the database is put back."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import User
from audit.actor import Actor
from audit.models import Event
from credentials.models import Credential, HandOver
from credentials.models.deleted import DeletedCredential
from domains.general import actions as general
from domains.members import actions as members
from domains.models import Domain
from domains.models.invitation import Invitation
from operations.failover import events_log
from tests.factories import PASSWORD, SYSTEM, make_credential, make_domain

pytestmark = pytest.mark.django_db(transaction=True)
APPS = ("accounts", "account", "mfa", "audit", "domains", "credentials")


@pytest.fixture
def noted(settings, tmp_path):
    """The folder where this web node notes its events."""
    settings.EVENTS_LOG = str(tmp_path / "events")
    return tmp_path / "events"


@pytest.fixture
def lose():
    """Put the database back to how it is now, as a standby has it that received nothing after that."""

    def rows(model):
        return list(model._base_manager.all())

    def remember():
        models = [
            model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)
        ]
        kept = {model: rows(model) for model in models if model._meta.managed}

        def put_back():
            with transaction.atomic(), connection.cursor() as cursor:
                for model in kept:
                    cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608
                for model, found in kept.items():
                    model._base_manager.bulk_create(found)

        return put_back

    return remember


@pytest.fixture
def reconcile(capsys, noted):
    def run(*files, **options):
        call_command("reconcile", *(map(str, files) if files else [str(noted)]), **options)
        return capsys.readouterr().out

    return run


def make_everything(alice, domain):
    """Rows to revoke something of: SMTP users by label, and one of another domain."""
    names = ["reset", "deleted", "suspended", "narrowed", "expiring", "support", "back", "same"]
    made = {name: make_credential(domain, label=name) for name in names}
    other = make_credential(make_domain("b.example.com", owner=alice))
    _link, _key = made["same"].hand_overs.make(timedelta(days=1), by=Actor(alice.email, alice))
    members.invite([domain], ["new@example.com"], "viewer", by=Actor(alice.email, alice))
    return made, other


def revoke_everything(bob, domain, made, other):
    made["reset"].reset_password(by=SYSTEM)
    made["deleted"].remove(by=SYSTEM)
    made["suspended"].suspend(by=SYSTEM)
    made["narrowed"].set_networks("192.0.2.0/24", by=SYSTEM)
    made["expiring"].set_expiry(datetime.now(UTC).date() + timedelta(days=1), by=SYSTEM)
    made["support"].suspend(by=SYSTEM, reason="spam", as_support=True)
    made["back"].suspend(by=SYSTEM)
    made["back"].resume(by=SYSTEM)
    made["same"].rename("New label", by=SYSTEM)
    HandOver.objects.get().revoke(by=SYSTEM)
    Invitation.objects.get().revoke(by=SYSTEM)
    members.remove(domain.memberships.get(user=bob), by=SYSTEM)
    other.domain.suspend(by=SYSTEM, reason="spam")


REASONS = {
    "reset": "its password was reset after that",
    "deleted": "it was deleted after that",
    "suspended": "it was suspended after that",
    "narrowed": "its allowed networks were changed after that",
    "expiring": "its expiry date was changed after that",
    "support": "it was suspended by support after that",
}


def test_every_lost_revocation_is_revoked_again_with_its_reason(
    client, alice, bob, domain, noted, lose, reconcile
):
    made, other = make_everything(alice, domain)
    put_back = lose()
    revoke_everything(bob, domain, made, other)
    put_back()
    assert Credential.objects.filter(suspended_at=None).count() == len(made) + 1
    planned = reconcile(dry_run=True)
    assert not Credential.objects.exclude(suspended_at=None).exists()
    output = reconcile()
    for name, why in REASONS.items():
        assert f"{made[name].short_username} of sl.example.com ({name}): {why}" in output and why in planned
        event = Event.objects.get(credential=made[name].username, tag="credential.suspended")
        assert event.actor_name == "reconcile" and event.data["reason"].endswith(f"UTC on: {why}")
    live = set(Credential.objects.filter(suspended_at=None).values_list("label", flat=True))
    assert live == {"back", "same", ""}
    assert Credential.objects.get(suspended_by_support=True) == made["support"]
    assert "b.example.com: suspended, as it was before the failover" in output
    assert "sl.example.com: bob@example.com is removed from the members" in output
    assert not Invitation.objects.exists() and HandOver.objects.get().revoked_at
    assert "credential.labelled" in output
    client.force_login(User.objects.get(pk=alice.pk))
    page = client.get("/domains/sl.example.com/activity/").content.decode()
    assert "noted that a failover lost what tests did at" in page and "deleted the SMTP user" in page
    call_command("verify_store")
    call_command("verify_audit")


def test_reconciling_again_leaves_alone_what_was_resumed(alice, domain, noted, lose, reconcile):
    credential, deleted = make_credential(domain), make_credential(domain)
    put_back = lose()
    credential.reset_password(by=SYSTEM)
    deleted.remove(by=SYSTEM)
    put_back()
    assert "lost and not yet reconciled: 2." in reconcile()
    credential.refresh_from_db()
    credential.resume(by=SYSTEM)
    assert "lost and not yet reconciled: 0." in reconcile()
    credential.refresh_from_db()
    assert not credential.suspended_at and Credential.objects.get(pk=deleted.pk).suspended_at


def test_what_was_done_again_on_the_new_server_is_left_alone(domain, noted, lose, reconcile):
    reset, narrowed = make_credential(domain), make_credential(domain)
    put_back = lose()
    reset.reset_password(by=SYSTEM)
    narrowed.set_networks("192.0.2.0/24", by=SYSTEM)
    put_back()
    Credential.objects.get(pk=reset.pk).reset_password(by=SYSTEM)
    Credential.objects.get(pk=narrowed.pk).set_networks("192.0.2.0/24", by=SYSTEM)
    assert "lost and not yet reconciled: 2." in (output := reconcile())
    assert "Suspended" not in output and not Credential.objects.exclude(suspended_at=None).exists()


def test_acts_that_arrived_are_not_lost(domain, noted, reconcile):
    make_credential(domain).reset_password(by=SYSTEM)
    assert "lost and not yet reconciled: 0." in reconcile()
    assert not Event.objects.filter(tag="system.act_lost").exists()


def test_deleted_domain_and_undone_delete_come_back_suspended(alice, domain, noted, lose, reconcile):
    undone = make_credential(domain)
    undone.remove(by=SYSTEM)
    gone = make_credential(make_domain("b.example.com", owner=alice))
    put_back = lose()
    DeletedCredential.objects.get().restore(by=SYSTEM)
    general.delete(Domain.objects.get(name="b.example.com"), by=SYSTEM)
    put_back()
    output = reconcile()
    assert f"{gone.short_username} of b.example.com: it was deleted" in output
    assert "b.example.com: it was deleted before the failover, and is here again" in output
    assert DeletedCredential.objects.get().suspended_at


def test_user_whose_new_password_is_lost_signs_in_by_neither_password(client, alice, noted, lose, reconcile):
    client.force_login(alice)
    put_back = lose()
    fields = {"oldpassword": PASSWORD, "password1": "a-new-password-1", "password2": "a-new-password-1"}
    assert client.post(reverse("account_change_password"), fields).status_code == 302
    put_back()
    assert "alice@example.com had a new password: the old one is refused" in reconcile()
    alice.refresh_from_db()
    assert not alice.check_password(PASSWORD) and alice.session_epoch


def test_events_are_taken_from_the_files_of_several_nodes(
    alice, domain, noted, lose, reconcile, tmp_path, settings
):
    credential = make_credential(domain)
    put_back = lose()
    credential.suspend(by=SYSTEM)
    settings.EVENTS_LOG = str(tmp_path / "other")
    credential.resume(by=SYSTEM)
    put_back()
    # Only together they show that it was resumed.
    assert "Suspended" not in reconcile(noted, tmp_path / "other", dry_run=True)
    assert "it was suspended after that" in reconcile(noted, dry_run=True)


def test_unreadable_lines_are_refused_before_any_change(noted, reconcile, tmp_path):
    (tmp_path / "torn").write_text('{"tag": "credential.res')
    with pytest.raises(CommandError, match="torn, line 1: no event .* Nothing was changed"):
        reconcile(tmp_path / "torn")
    with pytest.raises(CommandError, match="Name files of EVENTS_LOG"):
        call_command("reconcile")


def test_events_are_noted_after_commit_in_a_private_file(domain, noted):
    credential = make_credential(domain)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        credential.suspend(by=SYSTEM)
        1 / 0  # noqa: B018
    (path,) = noted.iterdir()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["tag"], line["credential"]) for line in lines] == [
        ("credential.created", credential.username)
    ]
    assert not {"ip", "user_agent"} & set(lines[0])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(noted.stat().st_mode) == 0o700


def test_events_are_forgotten_after_two_weeks(domain, noted):
    noted.mkdir()
    old, kept = (
        noted / f"{datetime.now(UTC).date() - events_log.KEPT_FOR - timedelta(days=days)}.jsonl"
        for days in (1, 0)
    )
    other = noted / "notes.txt"
    for path in (old, kept, other):
        path.touch()
    make_credential(domain)
    assert [path.exists() for path in (old, kept, other)] == [False, True, True]


def test_act_succeeds_where_its_event_cannot_be_noted(domain, settings, tmp_path, caplog, client):
    (tmp_path / "file").touch()
    settings.EVENTS_LOG = str(tmp_path / "file")
    credential = make_credential(domain)
    assert Credential.objects.filter(pk=credential.pk).exists()
    assert "An event is missing in EVENTS_LOG" in caplog.text
    assert b"sendlayer_events_log_writable 0.0" in client.get("/metrics").content
