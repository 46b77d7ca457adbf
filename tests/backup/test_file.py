"""The file: what it holds and what not, and what happens when it is damaged."""

import base64
import json
import stat
import zipfile

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import emails
from operations.backups import archive, trailer
from tests.accounts.codes import make_totp
from tests.backup.conftest import digest, manage
from tests.disks import small_disk
from tests.factories import make_credential, password_of
from tests.http import sign_in
from vault import keyring

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def path(domain, backup):
    make_credential(domain)
    assert keyring.examine() == ""
    return backup()


def contents(path) -> bytes:
    with zipfile.ZipFile(path) as file:
        return path.read_bytes() + b"".join(map(file.read, file.namelist()))


def test_backup_holds_no_key_password_or_session_and_is_private(client, alice, domain, backup):
    credential = make_credential(domain)
    seed = make_totp(alice)
    emails.post("alice@example.com", "Hello", "sl_of_a_letter")
    sign_in(client, alice)
    path = backup()
    found = contents(path)
    key = settings.CREDENTIAL_KEYS.partition(":")[2]
    secrets = [password_of(credential), seed, key, settings.SECRET_KEY, Session.objects.get().session_key]
    secrets += ["sl_of_a_letter", base64.b64encode(password_of(credential).encode()).decode()[:40]]
    assert credential.username.encode() in found
    assert not [secret for secret in secrets if secret.encode() in found]
    assert base64.urlsafe_b64decode(key) not in found
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_manifest_lists_keys_and_row_counts(path):
    with archive.read(path) as (_file, manifest, _doubt):
        assert manifest["database"] == connection.vendor and manifest["keys"] == ["k1"]
        assert manifest["counts"]["credentials_credential"] == 1
        assert "django_session" not in manifest["counts"]


@pytest.mark.one_database
def test_existing_file_is_kept_unless_forced(path):
    before = path.read_bytes()
    with pytest.raises(CommandError, match="already exists"):
        call_command("backup", path)
    assert path.read_bytes() == before
    call_command("backup", path, force=True)
    assert path.read_bytes() != before
    assert sorted(path.parent.iterdir()) == [path]


def assert_refused(path, match, **options):
    before = digest()
    with pytest.raises(CommandError, match=match) as error:
        call_command("restore", path, **{"replace": True, "yes": True} | options)
    assert "othing was changed" in str(error.value)
    assert digest() == before


@pytest.mark.parametrize("part", [0, 0.3, 0.9, 0.999])
@pytest.mark.one_database
def test_truncated_backup_is_refused(path, part):
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * part)])
    assert_refused(path, "not a backup, or only a part of one")


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.8, 0.99, 0.9999])
@pytest.mark.one_database
def test_flipped_bit_is_found(path, part):
    raw = bytearray(path.read_bytes())
    raw[int(len(raw) * part)] ^= 1
    path.write_bytes(raw)
    assert_refused(path, "is damaged: it does not match its SHA-256")


def changed(path, **changes):
    """The same backup with another manifest."""
    target, (key_id, _problem) = path.with_name("changed"), trailer.signing_key()
    with archive.read(path) as (file, manifest, _doubt), archive.create(target, key_id=key_id) as made:
        for name in file.namelist():
            text = json.dumps(manifest | changes) if name == archive.MANIFEST else file.read(name)
            made.writestr(name, text)
    return target


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"database": "other"}, "It is a backup of other, and this database is"),
        ({"format": 3}, r"newer version \(format 3\)"),
        (
            {"migrations": [["credentials", "9999_later"]]},
            "does not know the migrations credentials 9999_later",
        ),
    ],
)
@pytest.mark.one_database
def test_backup_of_other_database_or_newer_version_is_refused(path, changes, match):
    assert_refused(changed(path, **changes), match)


@pytest.mark.one_database
def test_replacing_a_database_needs_option_and_confirmation(path, monkeypatch):
    assert_refused(path, "The database is not empty", replace=False)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    assert_refused(path, "Not confirmed", yes=False)


def test_database_of_other_software_is_never_replaced(path):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE wiki_page (id int)")
        try:
            assert_refused(path, "don't belong to SendLayer: wiki_page")
        finally:
            cursor.execute("DROP TABLE wiki_page")


def test_failed_restore_changes_nothing(path, monkeypatch):
    before = digest()

    def fail(**_options):
        raise RuntimeError("on the way")

    monkeypatch.setattr("operations.backups.user_access.drop_outdated", fail)
    with pytest.raises(RuntimeError, match="on the way"):
        call_command("restore", path, replace=True, yes=True)
    assert digest() == before


@pytest.mark.one_database
def test_file_created_in_the_meantime_is_kept(path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.exists", lambda _path: False)  # it came between the two looks
    with pytest.raises(CommandError, match="was created in the meantime"):
        call_command("backup", path)
    assert sorted(path.parent.iterdir()) == [path]


@pytest.mark.postgresql  # SQLite copies the file
def test_backup_during_a_migration_is_refused(domain, tmp_path, monkeypatch):
    found = iter([["audit_event"], ["audit_event", "later"]])
    monkeypatch.setattr("operations.backups.schema.tables", lambda: next(found))
    with pytest.raises(CommandError, match="Tables were created or dropped in the meantime"):
        call_command("backup", tmp_path / "backup.zip")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_reported_and_leaves_no_partial_file(domain, tmp_path):
    for _ in range(20):
        make_credential(domain)
    size = "300k" if connection.vendor == "sqlite" else "8k"
    with small_disk(tmp_path / "disk", size) as disk:
        before = digest()
        code, output = manage("backup", disk / "backup.zip")
        assert code == 1 and "There is no backup" in output, output
        assert "full" in output or "No space left" in output, output
        assert "Traceback" not in output
        assert list(disk.iterdir()) == []
        assert digest() == before


def test_stopped_backup_leaves_no_partial_file(domain, tmp_path, monkeypatch):
    def end(file, folder):
        raise SystemExit(143)

    monkeypatch.setattr("operations.backups.sqlite.dump", end)
    monkeypatch.setattr("operations.backups.postgres.dump", end)
    with pytest.raises(SystemExit):
        call_command("backup", tmp_path / "backup.zip")
    assert list(tmp_path.iterdir()) == []
