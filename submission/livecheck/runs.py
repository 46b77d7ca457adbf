"""Runs of the check, in threads, so that no request waits for the mail server.

The state of a run is in the cache that all web processes share, under a random id and
bound to the user and the credential. It is JSON: `sends`, `started_at`, `steps`, and
`result`, which is None until the run has ended.
"""

import time
from dataclasses import asdict
from uuid import UUID, uuid4

from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credentials.models import Credential
from credentials.networks import listed
from credentials.outcome import Outcome
from submission import log
from submission.livecheck import advice
from submission.livecheck.conversation import Conversation, Plan, Verdict
from submission.livecheck.sample_message import sample_message
from submission.policy import addresses
from web.workers import Busy, Workers

CHECK_SECONDS = 10  # for a whole check
OVERDUE_SECONDS = 5  # after which a run without a result counts as interrupted
RESULT_SECONDS = 600
MAX_RUNS = 4  # at the same time in one process

_workers = Workers("livecheck", threads=MAX_RUNS)


def start(credential: Credential, *, by, sends: bool) -> UUID:
    """Start a check for a user (an Actor), with a test message if it `sends`; return the id of the run.

    Raises Busy, whose text gives the reason, vault.CannotOpen, Credential.DoesNotExist.
    """
    lock = _lock_key(credential.pk)
    if not cache.add(lock, True, CHECK_SECONDS + OVERDUE_SECONDS):
        raise Busy("This SMTP user is already being checked. Try again in a moment.")
    try:
        with _workers.reserve() as submit:
            run = Run(credential, by, sends=sends)
            run.save()
            submit(run.work)
    except Busy:
        cache.delete(lock)
        raise Busy("Too many checks are running. Try again in a moment.") from None
    except BaseException:
        cache.delete(lock)
        raise
    return run.id


def find(run_id: UUID, user, credential: Credential) -> dict | None:
    """Return the state of a run that this user started for this credential, or None."""
    state = cache.get(_cache_key(run_id, user.pk, credential.pk))
    if state and not state["result"] and state["started_at"] + CHECK_SECONDS + OVERDUE_SECONDS < time.time():
        state["result"] = _result(advice.INTERRUPTED)
    return state


class Run:
    """A check in this process."""

    @sensitive_variables("password")
    def __init__(self, credential, by, *, sends):
        """Open the password and record that. Raises what `Credential.reveal` raises."""
        self.id = uuid4()
        self._credential = credential
        self._cache_key = _cache_key(self.id, by.user.pk, credential.pk)
        self._state = {"sends": sends, "started_at": time.time(), "steps": [], "result": None}
        password = credential.reveal("credential.checked", by=by)
        self._plan = _make_plan(credential, password, by.user.email, sends=sends)

    def save(self):
        cache.set(self._cache_key, self._state, RESULT_SECONDS)

    def work(self):
        """Run the conversation and save the result. Called in a thread."""
        try:
            self._state["result"] = self._check()
        except Exception as error:
            log.crash("A check", error)
            self._state["result"] = _result(advice.CRASHED)
        try:
            self.save()
            cache.delete(_lock_key(self._credential.pk))
        except Exception as error:  # the run is shown as interrupted
            log.crash("Keeping the result of a check", error)

    def _check(self) -> dict:
        conversation = Conversation(
            self._plan, seconds=CHECK_SECONDS, on_step=self._save_steps, before_login=self._note_check
        )
        verdict = conversation.run()
        self._state["steps"] = [asdict(step) for step in conversation.steps]
        outcome, networks = self._outcome(verdict)
        words = advice.advise(verdict, outcome, self._plan, seconds=CHECK_SECONDS, networks=networks)
        return _result(words, verdict, works=advice.works(verdict, outcome))

    def _save_steps(self, steps):
        self._state["steps"] = [asdict(step) for step in steps]
        self.save()
        # No database connection stays open while the check waits for the mail server.
        connections.close_all()

    def _note_check(self, ip):
        self._credential.note_check(ip)
        connections.close_all()

    def _outcome(self, verdict: Verdict) -> tuple[Outcome, str]:
        """The outcome that the dashboard has for this login, and the allowed networks."""
        rows = Credential.objects.select_related("domain").without_secrets()
        credential = rows.filter(pk=self._credential.pk).first()
        if not credential:
            return Outcome.UNKNOWN_USERNAME, ""
        networks = ", ".join(listed(credential.allowed_networks))
        if credential.password_changed_at != self._credential.password_changed_at:
            return Outcome.WRONG_PASSWORD, networks
        return credential.outcome(timezone.now(), verdict.own_ip), networks


@sensitive_variables("password")
def _make_plan(credential, password, email, *, sends) -> Plan:
    domain, username = credential.domain.name, credential.username
    sender, recipient = f"info@{domain}", _address(email)
    message = None
    if sends:
        message = sample_message(domain, credential.short_username, sender=sender, recipient=recipient)
    return Plan(
        settings.SMTP_HOST,
        settings.SMTP_PORT,
        username,
        password,
        sender,
        recipient,
        settings.VAR_DIR / "tls" / "submission.crt",
        message,
    )


def _address(email: str) -> str:
    """An address with its domain as A-label, or unchanged if SMTP can't carry it."""
    try:
        return str(addresses.parse_mailbox(email))
    except addresses.BadAddress:
        return email


def _result(words: advice.Advice, verdict: Verdict | None = None, *, works=False) -> dict:
    return {
        "works": works,
        "title": words.title,
        "text": words.text,
        "reply": str(verdict.reply) if verdict and verdict.fault and verdict.reply else "",
        "note": advice.SELF_SIGNED if verdict and verdict.is_self_signed else "",
    }


def _cache_key(run_id: UUID, user_pk, credential_pk) -> str:
    return f"livecheck:{run_id}:{user_pk}:{credential_pk}"


def _lock_key(credential_pk) -> str:
    return f"livecheck:running:{credential_pk}"
