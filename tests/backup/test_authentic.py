"""Who made the file: a key of CREDENTIAL_KEYS authenticates it, or the operator vouches for it."""

import re
import struct
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import emails
from accounts.emails import Letter
from accounts.models import User
from audit import chain
from audit.actor import Actor
from audit.models import Event
from credentials.models import Credential
from domains.members import actions as members
from domains.models.invitation import Invitation
from operations.backups import archive
from tests.backup import forging
from tests.backup.conftest import digest, manage
from tests.backup.forging import resigned
from tests.factories import SYSTEM, make_credential
from vault import cipher, keyring

pytestmark = pytest.mark.django_db(transaction=True)

MEANS = "Anybody who could write this file decides"


@pytest.fixture
def path(domain, backup):
    make_credential(domain)
    assert keyring.examine() == ""
    return backup()


def assert_refused(path, match):
    before = digest()
    with pytest.raises(CommandError, match=match) as error:
        call_command("restore", path, replace=True, yes=True)
    output = str(error.value)
    assert MEANS in output and "--unauthenticated" in output and output.endswith("Nothing was changed.")
    assert digest() == before


@pytest.mark.one_database
def test_backup_names_its_key_and_unzip_opens_it(path):
    assert re.search(rb"hmac-sha256:k1:[0-9a-f]{64}:sha256:[0-9a-f]{64}\Z", path.read_bytes())
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None


@pytest.mark.one_database
def test_changed_backup_with_matching_digest_is_refused(path, restore):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 1
    path.write_bytes(resigned(bytes(raw)))
    assert_refused(path, "does not match the key 'k1' of CREDENTIAL_KEYS: it was changed")


@pytest.mark.parametrize("change", [b"0", b"f"])
@pytest.mark.one_database
def test_wrong_hmac_is_refused(path, change):
    raw = path.read_bytes()
    start = raw.rindex(b"hmac-sha256:k1:") + len(b"hmac-sha256:k1:")
    path.write_bytes(resigned(raw[:start] + change * 64 + raw[start + 64 :]))
    assert_refused(path, "does not match the key 'k1'")


@pytest.mark.one_database
def test_backup_without_its_hmac_is_refused(path):
    raw = path.read_bytes()
    start, end = raw.rindex(b"hmac-sha256:"), raw.rindex(b"sha256:")
    length = struct.pack("<H", len(raw) - end)
    path.write_bytes(resigned(raw[: start - 2] + length + raw[end:]))
    assert_refused(path, "It is not authenticated")


@pytest.mark.one_database
def test_hmac_is_bound_to_key_id_and_purpose(path, settings):
    raw = path.read_bytes()
    path.write_bytes(resigned(raw.replace(b"hmac-sha256:k1:", b"hmac-sha256:k2:")))
    assert_refused(path, "authenticated with the key 'k2', which CREDENTIAL_KEYS lacks")
    settings.CREDENTIAL_KEYS += settings.CREDENTIAL_KEYS.replace("k1:", ",k2:")
    assert_refused(path, "does not match the key 'k2'")  # its name is covered too
    assert cipher.derived_key("k1", purpose="a") != cipher.derived_key("k1", purpose="b")


@pytest.mark.parametrize("version", [1, 2])
def test_older_backup_needs_unauthenticated_option(path, restore, version):
    old = forging.forged(path, format=version)
    assert_refused(old, "It is not authenticated: an older version made it, or a server without its keys")
    Credential.objects.all().delete()
    output = restore(old, unauthenticated=True)
    assert "You vouch for it: --unauthenticated." in output and "SMTP users: 1." in output
    assert Event.objects.get(tag="system.restored").data["authenticated"] is False


def test_event_records_that_backup_was_authenticated(path, restore):
    assert "vouch" not in restore(path)
    assert Event.objects.get(tag="system.restored").data["authenticated"] is True


@pytest.mark.one_database
def test_old_key_authenticates_while_it_is_configured(path, settings, restore):
    old = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = fresh = f"k2:{cipher.new_key()}"
    chain.open_key.cache_clear()
    assert_refused(path, "authenticated with the key 'k1', which CREDENTIAL_KEYS lacks: put that key back")
    settings.CREDENTIAL_KEYS = f"{fresh},{old}"
    assert "vouch" not in restore(path)
    settings.CREDENTIAL_KEYS = f"k1:{cipher.new_key()}"
    assert_refused(path, "or made with another key of that name")


@pytest.mark.one_database
def test_backup_without_keys_is_made_unauthenticated(domain, tmp_path):
    make_credential(domain)
    code, output = manage("backup", tmp_path / "none", CREDENTIAL_KEYS="")
    assert code == 0 and "It is not authenticated (CREDENTIAL_KEYS can't be used: there is no key)" in output
    code, output = manage("restore", tmp_path / "none", "--replace", "--yes")
    assert code == 1 and MEANS in output
    code, output = manage("restore", tmp_path / "none", "--replace", "--yes", "--unauthenticated")
    assert code == 0 and "SMTP users: 1." in output


@pytest.mark.one_database
def test_wrong_key_of_the_same_name_authenticates_no_backup(path, backup, settings, capsys):
    settings.CREDENTIAL_KEYS = f"k1:{cipher.new_key()}"
    other = backup("other")
    assert "not the one that was used here" in capsys.readouterr().err
    assert b"hmac-sha256" not in other.read_bytes()


def test_unauthenticated_restore_drops_letters_and_invitations(alice, domain, backup, restore):
    """Otherwise the file decides who gets a letter with a link."""
    members.invite([domain], ["dave@example.com"], "viewer", by=Actor(alice.email, alice))
    emails.post("alice@example.com", "Hello", "text")
    path = backup()
    output = restore(forging.forged(path), unauthenticated=True)
    assert "dropped: 1, letters: 2." in output
    assert not Letter.objects.exists() and not Invitation.objects.exists()


@pytest.mark.one_database
def test_restore_reads_the_copy_that_it_verified(path):
    """A user who can write the file can't change it between the two."""
    with archive.read(path) as (file, _manifest, _doubt):
        path.write_bytes(b"x" * path.stat().st_size)
        assert file.testzip() is None
    with pytest.raises(zipfile.BadZipFile):
        forging.members(path)


def test_unauthenticated_restore_revokes_again(domain, path, restore):
    Credential.objects.get().reset_password(by=SYSTEM)
    User.objects.update(is_staff=False)
    output = restore(forging.forged(path), unauthenticated=True)
    assert "its password was reset after that" in output
    assert Credential.objects.get().suspended_at and connection.is_usable()
