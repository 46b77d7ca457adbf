"""The tables that migrations create: what a backup of their version holds, and nothing else is loaded."""

from django.core.management.color import no_style
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from operations.backups import BackupError, printable

MIGRATIONS = MigrationRecorder.Migration._meta.db_table
# Not in a backup: worth something only now, and to an attacker as well.
TRANSIENT = {"django_session", "usersessions_usersession", "sendlayer_cache", "operations_jobrun"}
# The migrations themselves record what was migrated: a list from the file could skip one.
NEVER_LOADED = TRANSIENT | {MIGRATIONS}
TEMPORARY_PREFIX = "before_"  # begins the names of temporary tables (previous_database.py)


def tables() -> list[str]:
    """The tables of the database, by name."""
    return [name for name in connection.introspection.table_names() if not name.startswith(TEMPORARY_PREFIX)]


def known_migrations() -> set[tuple[str, str]]:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return set(loader.disk_migrations) | replaced


def created_by(migrations) -> dict[str, list[str]]:
    """The columns of each table to be loaded, after these migrations and those that they depend on."""
    loader = MigrationLoader(None)
    nodes = [key for key in map(tuple, migrations) if key in loader.graph.nodes]
    models = loader.project_state(nodes).apps.get_models(include_auto_created=True) if nodes else []
    options = [model._meta for model in models if model._meta.can_migrate(connection)]
    columns = {meta.db_table: [field.column for field in meta.local_concrete_fields] for meta in options}
    return {table: names for table, names in columns.items() if table not in NEVER_LOADED}


def refuse_other_columns(held: dict, wanted: dict) -> None:
    """Raise BackupError unless the backup holds the columns of its version. Both are table → columns."""
    if not wanted:
        raise BackupError("Its manifest names no migration that creates a table.")
    missing = sorted(set(wanted) - set(held))
    both = sorted(set(wanted) & set(held))
    missing += [f"{table}.{name}" for table in both for name in wanted[table] if name not in held[table]]
    if missing:
        raise BackupError(f"It lacks what its version has: {_listed(missing)}.")
    unknown = [f"{table}.{name}" for table in both for name in held[table] if name not in wanted[table]]
    unknown += [table for table in both if len(held[table]) != len(set(held[table]))]
    if unknown:
        raise BackupError(f"It holds columns that its version does not have: {_listed(unknown)}.")


def _listed(names) -> str:
    more = [f"and {len(names) - 5} more"] if len(names) > 5 else []
    return ", ".join([*(printable(name[:130]) for name in names[:5]), *more])


def make_empty(migrations, drop_all) -> None:
    """Leave the empty tables that these migrations create. `drop_all` drops everything.

    Where they were applied already, the tables stay, and with them what other roles were granted.
    """
    wanted = set(map(tuple, migrations))
    if set(MigrationRecorder(connection).applied_migrations()) != wanted:
        drop_all()
        executor = MigrationExecutor(connection)
        nodes = executor.loader.graph.node_map
        # A migration that another one depends on comes with that; named as well, it would be reversed.
        executor.migrate(
            sorted(key for key in wanted if not wanted & {child.key for child in nodes[key].children})
        )
    filled = [table for table in tables() if table != MIGRATIONS]  # by migrations, too
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), filled))
