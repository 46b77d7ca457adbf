"""Counts that many servers add to: each a single statement for many rows, on SQLite and PostgreSQL."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from django.db import DataError, connection, transaction
from django.db import Error as DatabaseError
from django.db.models import Count

from domains.models import Domain

CHUNK = 500  # rows in one statement, below SQLite's limit of variables


def chunks(rows: Iterable, size: int | None = None):
    """Yield lists of at most CHUNK rows."""
    rows = iter(rows)
    while chunk := list(islice(rows, size or CHUNK)):
        yield chunk


def may_pass(error: BaseException) -> bool:
    """Whether what failed may go well another time: the database was away, not a value wrong."""
    return isinstance(error, DatabaseError) and not isinstance(error, DataError)


def hold_domains(keys: Iterable[int]):
    """Lock any number of domains until the transaction ends, before any of their rows (audit/locks.py)."""
    for chunk in chunks(sorted(set(keys))):
        Domain.objects.hold(*chunk)


def delete_free(rows):
    """Delete rows of a QuerySet, in transactions of CHUNK, except those that somebody holds right now.

    They are left for the next time: what only tidies up neither waits nor lets others wait in a circle.
    """
    keys = [None]
    while keys:
        with transaction.atomic():
            keys = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:CHUNK])
            rows.model.objects.filter(pk__in=keys).delete()


def count_up(model, rows: Iterable[dict], *, once: Sequence[str], add: Sequence[str], said: Sequence[str] = ()):
    """Insert rows, or add them to those that are there.

    A row is column → value, all with the same columns. `once` names the columns of the
    unique constraint, `add` those that are summed up; of `last_at` the latest stays, of
    `said` what is not "" replaces what was. No two rows may be one by `once`.
    """
    quote, table = connection.ops.quote_name, connection.ops.quote_name(model._meta.db_table)
    # In one order everywhere, so that two servers that write the same rows wait instead of deadlock.
    rows = sorted(rows, key=lambda row: [str(row[name]) for name in once])
    changes = [f"{quote(name)} = {table}.{quote(name)} + excluded.{quote(name)}" for name in add]
    changes.append(_choose(table, quote("last_at"), f"excluded.last_at > {table}.last_at"))
    changes += [_choose(table, quote(name), f"excluded.{quote(name)} <> ''") for name in said]
    for chunk in chunks(rows):
        names = list(chunk[0])
        columns = ", ".join(map(quote, names))
        conflict = ", ".join(map(quote, once))
        values, parameters = _values(model, names, chunk)
        statement = (
            f"INSERT INTO {table} ({columns}) VALUES {values} "  # noqa: S608  (names of models, no values)
            f"ON CONFLICT ({conflict}) DO UPDATE SET {', '.join(changes)}"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)


def update_each(model, rows: Iterable[dict], condition: str):
    """Set columns of rows, each to values of its own: `{"id": 1, column: value, …}`.

    `condition` is SQL, in which `old` is the row as it stands and `new` has the columns by name.
    """
    quote, table = connection.ops.quote_name, connection.ops.quote_name(model._meta.db_table)
    for chunk in chunks(sorted(rows, key=lambda row: row["id"])):
        names = list(chunk[0])
        values, parameters = _values(model, names, chunk)
        # The names that both databases give to the columns of VALUES.
        given = ", ".join(f"column{number} AS {quote(name)}" for number, name in enumerate(names, start=1))
        changes = ", ".join(f"{quote(name)} = new.{quote(name)}" for name in names if name != "id")
        statement = (
            f"UPDATE {table} AS old SET {changes} "  # noqa: S608
            f"FROM (SELECT {given} FROM (VALUES {values}) AS list) AS new WHERE old.id = new.id AND {condition}"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)


def at_most(model, keys: Iterable[tuple], most: int, *, names: Sequence[str]) -> Callable[[tuple], bool]:
    """Tell which keys have room: those that are there, and new ones while there are fewer than `most`.

    A key holds the values of `names`; all but the last name the group that is counted.
    """
    keys, known, numbers = sorted(set(keys)), set(), Counter()
    for chunk in chunks(keys):
        among = {f"{name}__in": {key[at] for key in chunk} for at, name in enumerate(names)}
        known |= set(model.objects.filter(**among).values_list(*names))
        among.pop(f"{names[-1]}__in")
        counted = model.objects.filter(**among).values_list(*names[:-1]).annotate(number=Count("pk"))
        numbers |= Counter({tuple(group): number for *group, number in counted})
    for key in keys:
        if key not in known and numbers[key[:-1]] < most:
            known.add(key)
            numbers[key[:-1]] += 1
    return known.__contains__


def _choose(table, column, condition) -> str:
    return f"{column} = CASE WHEN {condition} THEN excluded.{column} ELSE {table}.{column} END"


def _values(model, names, rows) -> tuple[str, list]:
    """The VALUES of rows, as marks and parameters."""
    prepare = [_column(model, name).get_db_prep_save for name in names]
    marks = "(" + ", ".join(["%s"] * len(names)) + ")"
    parameters = [
        each(value, connection) for row in rows for each, value in zip(prepare, row.values(), strict=True)
    ]
    return ", ".join([marks] * len(rows)), parameters


def _column(model, name):
    return next(field for field in model._meta.concrete_fields if field.column == name)
