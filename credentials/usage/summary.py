"""Who uses an SMTP user, when, and why logins are refused, from one query.

All rows are read, some for each day and address: to group them in several ways by SQL costs more.
"""

from datetime import date, datetime
from typing import NamedTuple

from credentials.models.login_day import LoginDay
from credentials.outcome import Outcome


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
    rows = LoginDay.objects.filter(username=username).recent(now)
    names = ("ip", "day", "outcome", "count", "first_at", "last_at", "retired_password_id")
    days: dict[date, tuple[int, int]] = {}
    clients: dict[str, Client] = {}
    causes: dict[str, Cause] = {}
    has_tries = False
    for ip, day, outcome, count, first, last, tried in rows.order_by("-last_at", "ip").values_list(*names):
        accepted, refused = (count, 0) if outcome == Outcome.ACCEPTED else (0, count)
        of_day = days.get(day, (0, 0))
        days[day] = of_day[0] + accepted, of_day[1] + refused
        known = clients.get(ip) or Client(ip, 0, 0, first, last, "")
        clients[ip] = Client(
            ip,
            known.accepted + accepted,
            known.refused + refused,
            min(known.first, first),
            known.last,
            known.cause or ("" if outcome == Outcome.ACCEPTED else outcome),
        )
        if outcome != Outcome.ACCEPTED:
            cause = causes.get(outcome) or Cause(outcome, 0, last, ip)
            causes[outcome] = cause._replace(total=cause.total + count)
        has_tries |= tried is not None
    return Summary(days, list(clients.values()), list(causes.values()), has_tries)
