"""The tables that migrations make: what a backup of their version may hold, and nothing else is loaded."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from operations.backups import TRANSIENT, Refused, printable

MIGRATIONS = MigrationRecorder.Migration._meta.db_table
# What was migrated is recorded by the migrating itself: a list that the file brings could skip one.
NEVER_LOADED = {*TRANSIENT, MIGRATIONS}


def known_migrations() -> set[tuple[str, str]]:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return set(loader.disk_migrations) | replaced


def tables(migrations) -> dict[str, list[str]]:
    """Return the columns of each table that is loaded, at these migrations and what they stand on."""
    loader = MigrationLoader(None)
    nodes = [key for key in map(tuple, migrations) if key in loader.graph.nodes]
    found = loader.project_state(nodes).apps.get_models(include_auto_created=True) if nodes else []
    owned = (model._meta for model in found if model._meta.managed and not model._meta.proxy)
    return {
        meta.db_table: [field.column for field in meta.local_concrete_fields]
        for meta in owned
        if not meta.swapped and meta.db_table not in NEVER_LOADED
    }


def make(migrations) -> None:
    """Run these migrations, and what they stand on, in a database without tables."""
    executor = MigrationExecutor(connection)
    # What another one stands on comes with it; named as well, it would be taken back again.
    nodes, wanted = executor.loader.graph.node_map, set(map(tuple, migrations))
    last = [key for key in wanted if not any(child.key in wanted for child in nodes[key].children)]
    executor.migrate(sorted(last))


def compare(found: dict, wanted: dict) -> list[str]:
    """Raise Refused unless the tables that a backup holds have the columns that its version makes.

    Both are table → columns. Return the tables that its version does not have: they are left alone.
    """
    if not wanted:
        raise Refused("Its manifest names no migration that makes a table.")
    lacking = sorted(set(wanted) - set(found))
    for table in wanted:
        if table in found:
            lacking += [f"{table}.{column}" for column in wanted[table] if column not in found[table]]
    if lacking:
        raise Refused(f"It lacks what its version has: {_listed(lacking)}.")
    for table in sorted(wanted):
        strange = [f"{table}.{column}" for column in found[table] if column not in wanted[table]]
        if strange or len(found[table]) != len(set(found[table])):
            raise Refused(f"It holds columns that its version does not have: {_listed(strange or [table])}.")
    return sorted(set(found) - set(wanted) - NEVER_LOADED)


def _listed(names) -> str:
    more = [f"and {len(names) - 5} more"] if len(names) > 5 else []
    return ", ".join([*(printable(name[:130]) for name in names[:5]), *more])
