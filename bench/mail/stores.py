"""The same credentials in PostgreSQL and SQLite, with the product's schema, and in a passwd-file."""

import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench import site
from tests.mail.daemons import Database, dovecot_version
from tests.mail.databases import open_postgresql, open_sqlite

MAIL_PASSWORD = secrets.token_urlsafe()
PER_DOMAIN = 10
CREATED_AT = "2026-01-01 00:00:00"
SEALED_PASSWORD = "v1.k1." + "A" * 92  # as long as a real one
DOMAIN_COLUMNS = "id, name, display_name, verification_token, authorized_at, created_at"
CREDENTIAL_COLUMNS = "domain_id, username, label, password_sealed, verifier, password_changed_at, created_at"
# Dovecot's memory limit is too small for a million lines.
FILE_BLOCKS = {
    "2.3": """
passdb {{
  driver = passwd-file
  args = scheme=SSHA512 username_format=%u {path}
}}
service auth {{
  vsz_limit = 0
}}
""",
    "2.4": """
passdb passwd-file {{
  default_password_scheme = SSHA512
  passwd_file_path = {path}
}}
service auth {{
  vsz_limit = unlimited
}}
""",
}


class PostgreSQL:
    """Creates databases in a cluster, each a copy of a migrated one."""

    def __init__(self, url: str):
        self._url = urlsplit(url)
        self._execute("CREATE DATABASE migrated")
        site.manage("migrate", "-v0", DATABASE_URL=self.url("migrated"))

    def url(self, name) -> str:
        return self._url._replace(path=f"/{name}").geturl()

    def make(self, name, tables, *, leased=True) -> Database:
        """`leased` or with the lookup functions of before there was a lease."""
        self._execute(f"CREATE DATABASE {name} TEMPLATE migrated")
        opened = open_postgresql(self._url.port, name, MAIL_PASSWORD)
        if not leased:
            self._forget_lease(name)
        with psycopg.connect(self.url(name)) as connection, connection.cursor() as cursor:
            for table, columns, rows in tables:
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
        # So that autovacuum doesn't do it during the rounds.
        self._execute("VACUUM (FREEZE, ANALYZE)", name)
        self._execute("CHECKPOINT", name)
        return opened

    def _forget_lease(self, name):
        site.manage("migrate", "-v0", "credentials", "0016", DATABASE_URL=self.url(name))
        views = "smtp_passdb, smtp_passdb_previous, smtp_sender"
        self._execute(f"GRANT SELECT ON {views} TO sendlayer_mail", name)

    def used(self, name) -> int:
        """Return how many credentials were reported as used."""
        query = "SELECT count(*) FROM credentials_credential WHERE last_used_at IS NOT NULL"
        return self._execute(query, name).fetchone()[0]

    def _execute(self, statement, name="postgres"):
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            return connection.execute(statement)


class SQLite:
    """Creates databases in a folder, each a copy of a migrated one."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._migrated = folder / "migrated.sqlite3"
        site.manage("migrate", "-v0", DATABASE_URL=f"sqlite:///{self._migrated}")

    def make(self, name, tables) -> Database:
        path = self._folder / name / "db.sqlite3"
        path.parent.mkdir()
        shutil.copy(self._migrated, path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            for table, columns, rows in tables:
                marks = ", ".join("?" * len(columns.split(",")))
                connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608
            connection.commit()
            connection.execute("ANALYZE")
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        return open_sqlite(path)


def passwd_file(path: Path, rows) -> str:
    """Write the file; return the lines of Dovecot's configuration for it."""
    with open(path, "w") as file:
        file.writelines(f"{username}:{verifier}\n" for username, verifier in rows)
    shutil.chown(path, group="dovecot")
    path.chmod(0o640)
    return FILE_BLOCKS[dovecot_version()].format(path=path)


def tables(rows, size):
    """Yield (table, columns, rows) of the product's schema; every domain is authorized."""
    domains = max(1, size // PER_DOMAIN)
    names = ((number, f"site{number}.example.com") for number in range(1, domains + 1))
    yield (
        "domains_domain",
        DOMAIN_COLUMNS,
        ((number, name, name, "0" * 32, CREATED_AT, CREATED_AT) for number, name in names),
    )
    yield (
        "credentials_credential",
        CREDENTIAL_COLUMNS,
        (
            (number % domains + 1, username, "", SEALED_PASSWORD, verifier, CREATED_AT, CREATED_AT)
            for number, (username, verifier) in enumerate(rows)
        ),
    )
