"""Operations of migrations: indexes by which PostgreSQL finds a part of a text, as `icontains` asks for it.

SQLite has no such index and reads all rows.
"""

from django.core.management.base import CommandError
from django.db import DatabaseError, migrations, transaction

NO_EXTENSION = (
    "PostgreSQL's extension pg_trgm, by which support searches, can't be created: {error}. It comes with "
    "PostgreSQL (contrib). As the owner of the database or a superuser, run CREATE EXTENSION pg_trgm in the "
    "database of DATABASE_URL; then migrate again."
)


class CreateTrigramIndex(migrations.RunPython):
    """On PostgreSQL, an index of a table for the parts of a text column; creates the extension first."""

    def __init__(self, table: str, column: str):
        name = f"{table}_{column}_trigrams"
        # As Django writes the left side of icontains.
        index = f"CREATE INDEX {name} ON {table} USING gin (UPPER({column}::text) gin_trgm_ops)"
        super().__init__(_on_postgresql(index), _on_postgresql(f"DROP INDEX {name}"))


def _on_postgresql(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            if statement.startswith("CREATE"):
                _create_extension(schema_editor)
            schema_editor.execute(statement)

    return run


def _create_extension(schema_editor):
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        raise CommandError(NO_EXTENSION.format(error=str(error).partition("\n")[0])) from None
