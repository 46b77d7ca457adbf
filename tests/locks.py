"""Watches that transactions on PostgreSQL lock in the one order of audit/locks.py."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.db.transaction import Atomic

from audit import locks
from audit.chain import HOLD

ROOT = Path(__file__).parents[1]
# The table that a statement locks rows of: its first.
_LOCKING = re.compile(
    r'(?:UPDATE|DELETE FROM) "(\w+)"'
    r'|SELECT .* FROM "(\w+)".* FOR (?:NO KEY )?UPDATE(?! SKIP LOCKED)'
    r'|INSERT INTO "(\w+)" .* ON CONFLICT .* DO UPDATE'
)
DOMAINS = "domains_domain"
LAST = len(locks.ORDER)


class Transaction:
    """What the running transaction of a connection locked so far; goes on from each to the next."""

    def __init__(self, found):
        self._found = found
        self.begin()

    def begin(self):
        self._tables, self._domains, self._chains, self._place = [], set(), [], 0
        self._has_begun = False  # anything that another transaction could wait for
        self._is_alone = False  # it holds whole tables, as a restore does

    def __call__(self, execute, sql, params, many, context):
        if is_within(context["connection"]):
            self._note(sql.replace("\n", " "), params)
        return execute(sql, params, many, context)

    def _note(self, sql, params):
        locking = _LOCKING.match(sql)
        if sql.startswith("LOCK TABLE"):
            self._is_alone = True
        elif sql == HOLD.replace("\n", " "):
            self._note_chain(params[0])
        elif sql.startswith(f'INSERT INTO "{DOMAINS}"'):
            self._tables.append(DOMAINS)  # which nobody else sees yet
        elif locking and not _is_of_a_test():
            self._note_table(next(filter(None, locking.groups())))
            if sql.startswith("SELECT") and DOMAINS in self._tables[-1:]:
                self._note_domains({key for key in params if isinstance(key, int)})
        elif sql.startswith("INSERT INTO") and "audit_event" not in sql and not _is_of_a_test():
            self._has_begun = True  # the commit asks for the rows that its foreign keys lead to

    def _note_table(self, table):
        place = locks.position(table)
        if table not in self._tables and (self._place == LAST if place is None else self._place > place):
            self._complain(table)
        self._tables = [*filter(table.__ne__, self._tables), table]
        self._has_begun = True
        self._place = max(self._place, place or 0)

    def _note_domains(self, keys):
        if self._domains and self._place > 0 and not keys <= self._domains:
            self._complain(f"domain {keys - self._domains}")
        self._domains |= keys

    def _note_chain(self, domain):
        if domain and self._has_begun and DOMAINS not in self._tables:
            self._complain(f"chain {domain}, but not its domain,")
        if domain not in self._chains and domain < max(self._chains, default=0):
            self._complain(f"chain {domain}")
        self._chains.append(domain)
        self._place = LAST

    def _complain(self, what):
        if not self._is_alone:
            self._found.append(f"{what} is locked after {self._tables} and the chains {self._chains}")


def is_within(connection) -> bool:
    """Whether a transaction of the product is open; the one around a whole test does not count."""
    return any(not block._from_testcase for block in connection.atomic_blocks)


def _is_of_a_test() -> bool:
    """Whether a test itself makes this statement, and not the product."""
    frame = sys._getframe()
    while frame := frame.f_back:
        if top := _top_folder(frame.f_code.co_filename):
            return top == "tests"
    return True


@cache
def _top_folder(file) -> str:
    """The folder of this checkout that a file of ours lies in; "" for this file and others."""
    path = Path(file)
    if not path.is_relative_to(ROOT) or ".venv" in path.parts or path == Path(__file__):
        return ""
    return path.relative_to(ROOT).parts[0]


@contextmanager
def taken_back() -> Iterator[None]:
    """Take back what several requests do; as Django's around a test, it is no transaction of the product."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Watch the transactions of all threads for a block; yield the list of what is out of order."""
    found, leave = [], Atomic.__exit__

    def begin_watching(connection, **signal):
        if not any(isinstance(each, Transaction) for each in connection.execute_wrappers):
            connection.execute_wrappers.append(Transaction(found))

    def left(self, *error):
        leave(self, *error)
        for each in connection.execute_wrappers:
            if isinstance(each, Transaction) and not is_within(connection):
                each.begin()

    connection_created.connect(begin_watching, weak=False, dispatch_uid=__name__)
    begin_watching(connection)
    with patch.object(Atomic, "__exit__", left):
        yield found
    connection_created.disconnect(dispatch_uid=__name__)
    others = [each for each in connection.execute_wrappers if not isinstance(each, Transaction)]
    connection.execute_wrappers[:] = others
