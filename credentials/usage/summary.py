"""Who uses an SMTP user, when, and why logins are refused, from one query; and what clients call themselves.

All rows are read, some for each day and address: to group them in several ways by SQL costs more.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from credentials.models.figures import as_moment
from credentials.models.login_day import LOGINS_KEPT_FOR
from credentials.outcome import Outcome

# As SQL: the ORM needs several times as long for the rows of a month.
_LOGINS = """
SELECT ip, day, outcome, count, first_at, last_at, retired_password_id
FROM credentials_loginday
WHERE username = %s AND day > %s AND outcome <> %s
ORDER BY last_at DESC, ip
"""
_NAMES = """
SELECT ip, ehlo, mail_from
FROM credentials_loginday
WHERE username = %s AND day > %s AND outcome = %s AND ip IN ({addresses}) AND (ehlo <> '' OR mail_from <> '')
ORDER BY day DESC
"""


class Client(NamedTuple):
    """Logins from an address ("" for those that aren't listed), and why the last refused one was."""

    ip: str
    accepted: int
    refused: int
    first: datetime
    last: datetime
    cause: str


class Cause(NamedTuple):
    """Refused logins of one cause, and when and from where the last came."""

    outcome: str
    total: int
    last: datetime
    last_ip: str


class Summary(NamedTuple):
    """`days` is day → (accepted, refused); the others have the last seen first.

    `has_tries` says that some of the refused logins were by a retired password.
    """

    days: dict[date, tuple[int, int]]
    clients: list[Client]
    causes: list[Cause]
    has_tries: bool


def summarize(username: str, now: datetime) -> Summary:
    """Return the summary of the last 30 days."""
    days: dict[date, list] = {}
    clients: dict[str, list] = {}
    causes: dict[str, list] = {}
    has_tries = False
    rows = _rows(_LOGINS, username, now, Outcome.UNKNOWN_USERNAME)
    for ip, day, outcome, count, first, last, tried in rows:
        is_refused = outcome != Outcome.ACCEPTED
        days.setdefault(day, [0, 0])[is_refused] += count
        client = clients.setdefault(ip, [0, 0, first, last, ""])
        client[is_refused] += count
        client[2] = min(client[2], first)
        if is_refused:
            client[4] = client[4] or outcome
            causes.setdefault(outcome, [0, last, ip])[0] += count
        has_tries |= tried is not None
    return Summary(
        {day: (accepted, refused) for day, (accepted, refused) in days.items()},
        [
            Client(ip, *counts, as_moment(first), as_moment(last), why)
            for ip, (*counts, first, last, why) in clients.items()
        ],
        [Cause(outcome, total, as_moment(last), ip) for outcome, (total, last, ip) in causes.items()],
        has_tries,
    )


def names(username: str, addresses: list[str], now: datetime) -> Iterator[tuple]:
    """What clients at some addresses called themselves, the last day first: (ip, EHLO names, MAIL FROM)."""
    statement = _NAMES.format(addresses=", ".join(["%s"] * len(addresses)))
    for ip, *given in _rows(statement, username, now, Outcome.ACCEPTED, *addresses):
        yield ip, *(text.splitlines() for text in given)


def _rows(statement, username, now, *parameters) -> list[tuple]:
    since = connection.ops.adapt_datefield_value((now - LOGINS_KEPT_FOR).date())
    with connection.cursor() as cursor:
        cursor.execute(statement, [username, since, *parameters])
        return cursor.fetchall()
