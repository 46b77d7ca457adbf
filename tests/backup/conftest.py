import hashlib
import os
import subprocess
import sys
from itertools import count

import pytest
from django.core.management import call_command
from django.db import connection

from credentials.models import Node
from tests.servers import ROOT, database_url
from tests.submission.conftest import close_clients, listener, start_listener  # noqa: F401  (fixtures)

_numbers = count(1)


@pytest.fixture
def new_database(tmp_path):
    """Make an empty database of the kind under test; return its URL."""
    made = []

    def make():
        name = f"elsewhere_{os.getpid()}_{next(_numbers)}"
        if connection.vendor == "sqlite":
            return f"sqlite:///{tmp_path / name}.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        made.append(name)
        return database_url().rpartition("/")[0] + f"/{name}"

    yield make
    with connection.cursor() as cursor:
        for name in made:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def lose_database(transactional_db):
    """Empty the test database, as after the loss of the old one."""
    return lambda: call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def backup(tmp_path):
    """Make a backup of the test database; return its path."""

    def make(name="backup.zip"):
        call_command("backup", tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def restore(capsys):
    """Restore over the test database; return the output."""

    def run(path, **options):
        call_command("restore", path, **{"replace": True, "yes": True} | options)
        output = capsys.readouterr()
        return output.out + output.err

    return run


def manage(*arguments, **environment):
    """Run manage.py as a process; return its exit code and output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def digest():
    """One number for every row of every table, but that in which a listener reports itself meanwhile."""
    rows = []
    with connection.cursor() as cursor:
        for table in sorted({*connection.introspection.table_names()} - {Node._meta.db_table}):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            rows.append((table, sorted(map(repr, cursor.fetchall()))))
    return hashlib.sha256(repr(rows).encode()).hexdigest()
