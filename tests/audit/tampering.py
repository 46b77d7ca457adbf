"""Helpers for tests of events: events of every kind, their verification, and a table that takes no more."""

import io
from contextlib import contextmanager
from typing import NamedTuple

from django.core.management import CommandError, call_command
from django.db import connection

import audit
from tests.factories import SYSTEM

REFUSE = {
    "sqlite": [
        "CREATE TRIGGER refuse_events BEFORE INSERT ON audit_event BEGIN INSERT INTO nowhere VALUES (1); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER refuse_events BEFORE INSERT ON audit_event EXECUTE FUNCTION refuse_event()",
    ],
}
ALLOW = {
    "sqlite": ["DROP TRIGGER refuse_events"],
    "postgresql": ["DROP TRIGGER refuse_events ON audit_event", "DROP FUNCTION refuse_event"],
}


def make_events(domain, number):
    """Events of every kind of column, in one domain."""
    data = ({}, {"label": "Größe <b>"}, {"networks": "10.0.0.0/8, 2001:db8::/32"}, {"list": [1, "2", None]})
    return [
        audit.record("credential.labelled", by=SYSTEM, domain=domain, credential="A" * 32, data=data[index % 4])
        for index in range(number)
    ]


class Answer(NamedTuple):
    faults: list[str]
    out: str
    notes: list[str]


def verify(*arguments) -> Answer:
    """The output of `manage.py verify_audit`."""
    out, err, faults = io.StringIO(), io.StringIO(), ""
    try:
        call_command("verify_audit", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        faults = str(error)
    lines = err.getvalue().splitlines()
    notes = [line for line in lines if line.startswith("Note: ")]
    found = [line for line in lines if line not in notes]
    assert bool(faults) == bool(found) or not lines, (faults, lines)
    return Answer(found or ([faults] if faults else []), out.getvalue(), notes)


@contextmanager
def no_event_can_be_written():
    with connection.cursor() as cursor:
        for statement in REFUSE[connection.vendor]:
            cursor.execute(statement)
        try:
            yield
        finally:
            for statement in ALLOW[connection.vendor]:
                cursor.execute(statement)
