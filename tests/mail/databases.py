"""Lets mail servers into a database as sendlayer-install does; each function returns the Database they read."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.mail.daemons import DEPLOY, Database


def open_postgresql(port, name, password) -> Database:
    """Run deploy/postgres/roles.sql as the superuser."""
    psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    environment = os.environ | {"SENDLAYER_MAIL_PASSWORD": password}
    subprocess.run([*psql, "-f", DEPLOY / "postgres" / "roles.sql", name], check=True, env=environment)
    asked = [*psql, "-A", "-t", "-c", "SHOW unix_socket_directories", name]
    folder = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return Database.postgresql(folder, port, name, password)


def open_sqlite(path) -> Database:
    """Give the group of Postfix and Dovecot's worker what SQLite's WAL needs in the file's folder."""
    folder = Path(path).parent
    shutil.chown(folder, group="postfix")
    folder.chmod(0o2770)
    for file in folder.iterdir():
        shutil.chown(file, group="postfix")
        file.chmod(0o660)
    return Database.sqlite(path)
