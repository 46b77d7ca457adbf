"""What a batch of logins comes to in the database; see credentials/usage/tally.py."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from django.db import DataError, OperationalError, connection

from credentials.models import Credential
from credentials.models.batches import chunks, hold_domains, update_each
from credentials.models.login_day import ALL_LOGINS, MAX_ADDRESSES, LoginDay
from credentials.models.retired import RetiredPassword, Why
from credentials.outcome import Outcome
from credentials.usage.attempts import Attempt, Counted, latest

# One that logs in all the time is reported once a second, and noted at its credential once a minute.
NOTE_USE_EVERY = timedelta(seconds=60)
# What is noted at a credential, each with a time and an address, and SQL for what else has to hold there.
_NOTES = {"last_used": "", "previous_last_used": " AND old.previous_verifier <> ''", "last_refused": ""}


class Fact(NamedTuple):
    """What makes a row of LoginDay."""

    domain_id: int | None
    username: str
    day: date
    ip: str
    outcome: Outcome
    retired_password_id: int | None = None


def write(batch: Mapping[Attempt, Counted]):
    """Count these logins, and note the last ones at their credentials. Call it in a transaction."""
    credentials = _credentials({attempt.username for attempt in batch})
    usernames = {attempt.username for attempt in batch if attempt.outcome is not Outcome.ACCEPTED}
    # Deleted after their last login, or while a replica didn't show it yet.
    usernames |= {attempt.username for attempt in batch if attempt.username not in credentials}
    retired = RetiredPassword.objects.known(usernames)
    facts: dict[Fact, Counted] = {}
    notes: dict[str, dict] = {name: {} for name in _NOTES}
    for attempt, counted in batch.items():
        credential = credentials.get(attempt.username)
        if credential and credential.is_checked_from(attempt.ip, counted.last_at):
            continue
        password = retired(attempt.username, attempt.digest)
        if attempt.outcome is Outcome.ACCEPTED and not credential and not (password and counted.number):
            continue  # deleted since, with its domain, or names alone
        fact = _fact(attempt, counted.last_at, credential, password)
        if fact.outcome is not Outcome.UNCOUNTED:
            _add(facts, fact, counted)
        total = Fact(None, ALL_LOGINS, fact.day, "", fact.outcome)
        _add(facts, total, Counted(counted.number, counted.first_at, counted.last_at))
        if credential and counted.number:
            for name, row in _notes(credential, attempt, counted.last_at, fact.outcome):
                other = notes[name].setdefault(credential.pk, row)
                notes[name][credential.pk] = max(other, row, key=lambda row: row[f"{name}_at"])  # noqa: B023
    hold_domains(fact.domain_id for fact in facts if fact.domain_id)
    for name, condition in _NOTES.items():
        newer = f"(old.{name}_at IS NULL OR old.{name}_at < new.{name}_at)"
        update_each(Credential, notes[name].values(), newer + condition)
    LoginDay.objects.count_up(_rows(facts))


def transaction_id() -> str:
    """The id of the running transaction, for `has_committed`; "" on SQLite, whose COMMIT is always answered."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return cursor.fetchone()[0]


def has_committed(transaction_id: str) -> bool:
    """Whether a transaction was committed whose connection broke. Raises django.db.Error."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_xact_status(%s::xid8)", [transaction_id])
            status = cursor.fetchone()[0]
    except DataError:  # a server that took over has not come to it: it was lost
        return False
    if status == "in progress":
        raise OperationalError("The server still works on what was counted before.")
    return status == "committed"


def _credentials(usernames) -> dict[str, Credential]:
    found = {}
    for chunk in chunks(sorted(usernames)):
        rows = Credential.objects.without_secrets().select_related("domain").filter(username__in=chunk)
        found |= {credential.username: credential for credential in rows}
    return found


def _fact(attempt, at, credential, password) -> Fact:
    outcome, known = _outcome(attempt, at, credential, password), credential or password
    if known is None:
        return Fact(None, "", at.date(), attempt.ip, outcome)
    password_id = password.pk if password and outcome is not Outcome.ACCEPTED else None
    return Fact(known.domain_id, known.username, at.date(), attempt.ip, outcome, password_id)


def _outcome(attempt, at, credential, password) -> Outcome:
    outcome = attempt.outcome
    if outcome in (Outcome.ACCEPTED, Outcome.UNCOUNTED):
        return outcome
    if credential is None:
        return Outcome.UNKNOWN_USERNAME
    if outcome is None:
        # Dovecot reports only that it refused: what is usable from there was given a wrong password.
        outcome = credential.outcome(at, attempt.ip)
        outcome = Outcome.WRONG_PASSWORD if outcome is Outcome.ACCEPTED else outcome
    if outcome is Outcome.WRONG_PASSWORD and password and password.why == Why.RESET:
        return Outcome.OLD_PASSWORD
    return outcome


def _notes(credential, attempt, at, outcome) -> Iterator[tuple[str, dict]]:
    """What a login changes at its credential: (name of _NOTES, columns)."""
    seen = {"id": credential.pk, "at": at, "ip": attempt.ip}
    names = {"last_used": True, "previous_last_used": attempt.is_previous}
    if outcome is not Outcome.ACCEPTED:
        seen["cause"], names = outcome, {"last_refused": True}
    for name, is_wanted in names.items():
        noted = getattr(credential, f"{name}_at") if outcome is Outcome.ACCEPTED else None
        if is_wanted and not (noted and at - noted <= NOTE_USE_EVERY):
            yield name, {key if key == "id" else f"{name}_{key}": value for key, value in seen.items()}


def _rows(facts) -> Iterator[dict]:
    """Rows of LoginDay. Addresses that have no room any more are added up as "", names join those there."""
    there = _there({(fact.username, fact.day) for fact in facts if fact.username != ALL_LOGINS})
    addresses: dict[tuple, set] = {}
    for username, day, ip, *_ in there:
        addresses.setdefault((username, day), {""}).add(ip)
    folded: dict[Fact, Counted] = {}
    for fact, counted in facts.items():
        known = addresses.setdefault((fact.username, fact.day), {""})
        if fact.ip not in known and len(known) > MAX_ADDRESSES:
            fact = fact._replace(ip="")
        known.add(fact.ip)
        _add(folded, fact, counted)
    for fact, counted in folded.items():
        if counted.ehlo or counted.mail_from:
            ehlo, mail_from = there.get(fact[1:], ((), ()))
            counted.ehlo = latest(counted.ehlo, ehlo)
            counted.mail_from = latest(counted.mail_from, mail_from)
        yield fact._asdict() | {
            "count": counted.number,
            "first_at": counted.first_at,
            "last_at": counted.last_at,
            "ehlo": "\n".join(counted.ehlo),
            "mail_from": "\n".join(counted.mail_from),
            "current_at": counted.current_at,
            "previous_at": counted.previous_at,
        }


def _there(days) -> dict[tuple, tuple]:
    """The rows of these usernames and days: what makes each → its names."""
    found = {}
    for chunk in chunks(sorted({username for username, _day in days})):
        rows = LoginDay.objects.filter(username__in=chunk, day__in={day for _username, day in days})
        for *fact, ehlo, mail_from in rows.values_list(*Fact._fields[1:], "ehlo", "mail_from"):
            found[tuple(fact)] = ehlo.splitlines(), mail_from.splitlines()
    return found


def _add(facts, fact, counted):
    """Add to a fact, changing nothing of a batch: one that fails is written again as it was."""
    if fact in facts:
        facts[fact].add(counted)
    else:
        facts[fact] = replace(counted)
