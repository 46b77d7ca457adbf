"""The indexes that PostgreSQL searches by: used, and refused with a sentence where they can't be created."""

import os
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from accounts.models import User
from credentials.models import Credential
from domains.models import Domain
from tests.servers import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]  # SQLite has no index for a part of a text
NAME = ROLE = "sendlayer_no_extension"


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        (Credential.objects.all(), "label"),
        (Domain.objects.all(), "name"),
        (Domain.objects.all(), "display_name"),
        (Domain.objects.all(), "title"),
        (User.objects.all(), "email"),
        (User.objects.all(), "name"),
    ],
)
def test_part_of_a_text_is_found_by_index(rows, column):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.filter(**{f"{column}__icontains": "shop"}).explain()
    assert f"{rows.model._meta.db_table}_{column}_trigrams" in plan


@contextmanager
def database():
    """A database that a role may create tables in, but no extension; yield its URL."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as opened:
        opened.execute(f"CREATE ROLE {ROLE} LOGIN")
        opened.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
    at = urlsplit(os.environ["DATABASE_URL"])
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], dbname=NAME, autocommit=True) as opened:
            opened.execute(f"GRANT CREATE ON SCHEMA public TO {ROLE}")
        yield f"postgres://{ROLE}@{at.hostname}:{at.port}/{NAME}"
    finally:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as opened:
            opened.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
            opened.execute(f"DROP ROLE {ROLE}")


def migrate(url, *arguments):
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True
    )


def test_migration_that_may_not_create_the_extension_says_what_to_do():
    with database() as url:
        done = migrate(url, "accounts")
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert (
            "extension pg_trgm, by which support searches, can't be created: permission denied" in done.stderr
        )
        assert "run CREATE EXTENSION pg_trgm" in done.stderr
        with psycopg.connect(os.environ["DATABASE_URL"], dbname=NAME, autocommit=True) as opened:
            opened.execute("CREATE EXTENSION pg_trgm")
        done = migrate(url, "accounts")
        assert (done.returncode, done.stderr) == (0, "")
