"""Many rows in few statements, on SQLite and PostgreSQL."""

from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import DataError, connection, transaction
from django.db import Error as DatabaseError

from domains.models import Domain

CHUNK = 500  # rows in one statement, below SQLite's limit of variables


def chunks(rows: Iterable, size: int | None = None):
    """Yield lists of at most CHUNK rows."""
    rows = iter(rows)
    while chunk := list(islice(rows, size or CHUNK)):
        yield chunk


def may_pass(error: BaseException) -> bool:
    """Whether what failed may succeed another time: the database was away, not a value wrong."""
    return isinstance(error, DatabaseError) and not isinstance(error, DataError)


def hold_domains(keys: Iterable[int]):
    """Lock any number of domains until the transaction ends, before any of their rows (audit/locks.py)."""
    for chunk in chunks(sorted(set(keys))):
        Domain.objects.hold(*chunk)


def delete_free(rows):
    """Delete rows of a QuerySet, in transactions of CHUNK, except those that are locked right now.

    They are left for the next time: what only tidies up neither waits nor lets others wait in a circle.
    """
    keys = [None]
    while keys:
        with transaction.atomic():
            keys = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:CHUNK])
            rows.model.objects.filter(pk__in=keys).delete()


def insert_each(model, rows: Iterable[dict], on_conflict: str):
    """Insert rows, each as column → value, all with the same columns.

    `on_conflict` is SQL, in which `old` is the row that is there and `excluded` the new one.
    """
    for chunk in chunks(rows):
        columns, values, parameters = _values(model, chunk)
        names = ", ".join(columns)
        # Names of the model's columns, no values.
        statement = f"INSERT INTO {_table(model)} AS old ({names}) VALUES {values} {on_conflict}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)


def update_each(model, rows: Iterable[dict], condition: str):
    """Set columns of rows, each to values of its own: `{"id": 1, column: value, …}`.

    `condition` is SQL, in which `old` is the row as it is and `new` has the columns by name.
    """
    for chunk in chunks(sorted(rows, key=lambda row: row["id"])):
        columns, values, parameters = _values(model, chunk)
        # The names that both databases give to the columns of VALUES.
        given = ", ".join(f"column{number} AS {name}" for number, name in enumerate(columns, start=1))
        changes = ", ".join(f"{name} = new.{name}" for name in columns[1:])
        statement = (
            f"UPDATE {_table(model)} AS old SET {changes} "  # noqa: S608
            f"FROM (SELECT {given} FROM (VALUES {values}) AS list) AS new WHERE old.id = new.id AND {condition}"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)


def _table(model) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _values(model, rows: Sequence[dict]) -> tuple[list[str], str, list]:
    """The columns of rows, and their VALUES as marks and parameters."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    prepare = [fields[column].get_db_prep_save for column in rows[0]]
    marks = "(" + ", ".join(["%s"] * len(prepare)) + ")"
    parameters = [
        prepared(value, connection)
        for row in rows
        for prepared, value in zip(prepare, row.values(), strict=True)
    ]
    return list(map(connection.ops.quote_name, rows[0])), ", ".join([marks] * len(rows)), parameters
