"""Files in VAR_DIR are closed to other users of the machine, with any umask and mode of the folder."""

import os
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from tests.servers import ROOT, collect_static, database_url, free_port, running

DATABASE = ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm")
HOLD_OPEN = """
from django.db import connection
connection.cursor().execute("CREATE TABLE IF NOT EXISTS x (y)")
import os, stat
for name in sorted(os.listdir(os.environ["FOLDER"])):
    print(name, oct(stat.S_IMODE(os.stat(os.path.join(os.environ["FOLDER"], name)).st_mode)))
"""


def modes(folder, *command, umask=0o022, **given):
    """Run Django with an open database; return the modes of the database files and the output."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    given = {
        "DJANGO_SETTINGS_MODULE": "sendlayer.settings",
        "VAR_DIR": str(folder),
        "FOLDER": str(folder),
    } | given
    done = subprocess.run(
        [sys.executable, *(command or ("-c", HOLD_OPEN))],
        cwd=ROOT,
        env=environment | given,
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines()), done.stderr


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o022, 0o000])
@pytest.mark.parametrize("name", ["site", "site #1", "site?mode=memory", "50%23"])
def test_new_database_is_private(tmp_path, name, umask):
    folder = tmp_path / name
    folder.mkdir(mode=0o755)
    found, _ = modes(folder, umask=umask)
    assert found == dict.fromkeys(DATABASE, "0o600")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_open_files_are_closed_and_reported(tmp_path):
    modes(tmp_path)
    (tmp_path / ".env").write_text("SMTP_PORT=2525\n")
    for name in ("db.sqlite3", ".env"):
        (tmp_path / name).chmod(0o644)
    found, said = modes(tmp_path)
    # The group keeps its right to read.
    assert found == dict.fromkeys((".env", *DATABASE), "0o640")
    assert f"{tmp_path}/.env was readable by every user of this machine." in said


def test_group_of_the_mail_servers_keeps_its_rights(tmp_path):
    """The database as sendlayer-install creates it for Dovecot and Postfix."""
    folder = tmp_path / "database"
    folder.mkdir()
    folder.chmod(0o2770)
    (folder / "db.sqlite3").touch()
    (folder / "db.sqlite3").chmod(0o660)
    found, _ = modes(tmp_path, FOLDER=str(folder), DATABASE_URL=f"sqlite:///{folder}/db.sqlite3")
    assert found == dict.fromkeys(DATABASE, "0o660")
    assert mode(folder) == 0o2770


def test_further_connection_keeps_locks_of_other_threads(tmp_path):
    """POSIX drops all locks of a process on a file when it closes any descriptor of it."""
    from web.private_files import Connection

    path = tmp_path / "db.sqlite3"
    with closing(Connection(path, isolation_level=None)) as first:
        first.execute("CREATE TABLE x (y)")
        first.execute("BEGIN EXCLUSIVE")
        path.chmod(0o644)
        with closing(Connection(path, timeout=0)):
            assert mode(path) == 0o640
            program = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('DELETE FROM x')"
            elsewhere = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert "database is locked" in elsewhere.stderr


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_access_log_is_private(tmp_path):
    collect_static()
    port, log = free_port(), tmp_path / "access.log"
    command = ["-m", "gunicorn", "sendlayer.wsgi"]
    with running(command, port=port, log=tmp_path / "log", PORT=str(port), ACCESS_LOG=str(log)):
        assert mode(log) == 0o600


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_backup_is_private(tmp_path):
    file = tmp_path / "backup.zip"
    modes(tmp_path, "manage.py", "backup", str(file), umask=0, DATABASE_URL=database_url())
    assert mode(file) == 0o600
    assert not list(tmp_path.glob(".backup-*"))
