"""Lets mail servers into a database as deploy/README.md does; each function returns the Database they read."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.mail.daemons import DEPLOY, Database


def open_postgresql(port, name, password) -> Database:
    """Run deploy/postgres/roles.sql as the superuser."""
    server = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *server, "-f", DEPLOY / "postgres" / "roles.sql", name],
        check=True,
        env=os.environ | {"SENDLAYER_MAIL_PASSWORD": password},
    )
    return Database.postgresql(port, name, password)


def open_sqlite(path) -> Database:
    """Give the group of Postfix and Dovecot's worker what SQLite's WAL needs in the file's folder."""
    folder = Path(path).parent
    shutil.chown(folder, group="postfix")
    folder.chmod(0o2770)
    for file in folder.iterdir():
        shutil.chown(file, group="postfix")
        file.chmod(0o660)
    return Database.sqlite(path)
