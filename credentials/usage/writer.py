"""What a batch of logins comes to in the database; see credentials/usage/tally.py."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from credentials.models import Credential
from credentials.models.login_total import ACCEPTED, LoginTotal
from credentials.models.refusals import Cause, RefusedLogins
from credentials.models.retired import RetiredPassword, Why
from credentials.models.upsert import chunks, hold_domains, update_each
from credentials.outcome import Outcome
from credentials.usage.client_buffer import Counted, Day


def write(batch) -> list[tuple[Day, Counted]]:
    """Write last uses, refusals, tries of retired passwords and totals; return who the clients were.

    `batch` is usage.Login → usage.Seen. Call it in a transaction.
    """
    rows = _rows({login.username for login in batch})
    retired = RetiredPassword.objects.known({login.username for login in batch if not _is_use(login)})
    uses, previous_uses, refused, tries, days, touched = {}, {}, {}, {}, [], set()
    totals = Counter()
    for login, seen in batch.items():
        credential = rows.get(login.username)
        if credential and credential.is_checked_from(login.ip, seen.at):
            continue
        counted = Counted(seen.at, seen.at)
        if _is_use(login):
            if not credential:
                continue
            counted.accepted = seen.number
            totals[ACCEPTED] += seen.number
            # One that logs in all the time is asked for once a second, and written once a minute.
            if not credential.is_use_noted(seen.at):
                _note(uses, credential, login.ip, seen.at)
                touched.add(credential.domain_id)
            if login.is_previous and not credential.is_previous_use_noted(seen.at):
                _note(previous_uses, credential, login.ip, seen.at)
                touched.add(credential.domain_id)
        else:
            password = retired(login.username, login.digest)
            cause = _cause(credential, login, seen.at, password)
            refused.setdefault((credential, cause), []).append((seen.at, login.ip, seen.number))
            if password:
                tries.setdefault((password.pk, login.ip), []).append(seen)
            if known := credential or password:
                touched.add(known.domain_id)
            counted.refused, counted.last_cause = seen.number, cause
            totals[cause.value] += seen.number
        if credential:
            days.append((Day(credential.domain_id, credential.username, seen.at.date(), login.ip), counted))
    hold_domains(touched)
    _write_uses(uses, previous_uses)
    _write_refusals(refused)
    RetiredPassword.objects.count_tries(tries)
    # Last, since every server adds to the same rows: they are locked until this commits.
    LoginTotal.objects.add(totals, at=timezone.now())
    return days


def _is_use(login) -> bool:
    return login.outcome is Outcome.ACCEPTED


def _rows(usernames: Iterable[str]) -> dict[str, Credential]:
    rows = {}
    for chunk in chunks(sorted(usernames)):
        found = Credential.objects.without_secrets().select_related("domain").filter(username__in=chunk)
        rows |= {credential.username: credential for credential in found}
    return rows


def _note(uses, credential, ip, at: datetime):
    if credential.pk not in uses or at > uses[credential.pk][0]:
        uses[credential.pk] = at, ip


def _write_uses(uses, previous_uses):
    """Note last uses, unless another server noted a later one."""
    for prefix, noted, still in (
        ("", uses, ""),
        ("previous_", previous_uses, " AND old.previous_verifier <> ''"),
    ):
        at, ip = f"{prefix}last_used_at", f"{prefix}last_used_ip"
        rows = [{"id": pk, at: seen_at, ip: seen_ip} for pk, (seen_at, seen_ip) in noted.items()]
        update_each(Credential, rows, f"(old.{at} IS NULL OR old.{at} < new.{at}){still}")


def _cause(credential, login, at, password) -> Cause:
    if credential is None:
        return Cause.UNKNOWN_USERNAME
    outcome = login.outcome
    if outcome is None:
        # Dovecot tells only that it refused: what is usable from there was given a wrong password.
        outcome = credential.outcome(at, login.ip)
        outcome = Outcome.WRONG_PASSWORD if outcome is Outcome.ACCEPTED else outcome
    if outcome is Outcome.WRONG_PASSWORD and password and password.why == Why.RESET:
        return Cause.OLD_PASSWORD
    return Cause[outcome.name]


def _write_refusals(refused):
    """Note the last ones at the credentials, then count all, in the order of audit/locks.py."""
    for (credential, cause), logins in refused.items():
        if credential:
            last_at, last_ip, _number = max(logins)
            Credential.objects.note_refusal(credential, cause, last_ip, at=last_at)
    for (credential, cause), logins in refused.items():
        last_at, last_ip, _number = max(logins)
        number = sum(number for _at, _ip, number in logins)
        RefusedLogins.objects.count_up(credential, cause, number, at=last_at, ip=last_ip)
