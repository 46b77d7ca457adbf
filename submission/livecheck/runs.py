"""Runs of the check: each in a thread, so that no request waits for the mail server.

A run's state lies in the cache, which all web processes share, under a random id and
bound to the person and the credential. It is JSON: `sends`, `started_at`, `steps`, and
`result`, which is None while it runs.
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
from submission.livecheck.sample_message import test_message
from submission.policy import addresses
from web.workers import Busy, Workers

SECONDS = 10  # for a whole check, whatever the mail server does
GRACE_SECONDS = 5  # then a run without a result is one whose process died
KEPT_SECONDS = 600
MOST_RUNS = 4  # at the same time in one process

_workers = Workers("livecheck", threads=MOST_RUNS)


def start(credential: Credential, *, by, sends: bool) -> UUID:
    """Begin a check for a person (an Actor), with a test message when it `sends`; return its id.

    Raises Busy, whose text says why, vault.CannotOpen, Credential.DoesNotExist.
    """
    lock = _lock(credential.pk)
    if not cache.add(lock, True, SECONDS + GRACE_SECONDS):
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
    """Return the state of a run that this person started for this credential; None when there is none."""
    state = cache.get(_key(run_id, user.pk, credential.pk))
    if state and not state["result"] and state["started_at"] + SECONDS + GRACE_SECONDS < time.time():
        state["result"] = _result(advice.INTERRUPTED)
    return state


class Run:
    """A check that this process runs."""

    @sensitive_variables("password")
    def __init__(self, credential, by, *, sends):
        """Open the password, with its audit event. Raises what `Credential.reveal` raises."""
        self.id = uuid4()
        self._credential = credential
        self._key = _key(self.id, by.user.pk, credential.pk)
        self._state = {"sends": sends, "started_at": time.time(), "steps": [], "result": None}
        password = credential.reveal("credential.checked", by=by)
        self._plan = _plan(credential, password, by.user.email, sends=sends)

    def save(self):
        cache.set(self._key, self._state, KEPT_SECONDS)

    def work(self):
        """Hold the conversation, then judge it. For a thread of its own."""
        try:
            self._state["result"] = self._check()
        except Exception as error:
            log.crash("A check", error)
            self._state["result"] = _result(advice.CRASHED)
        try:
            self.save()
            cache.delete(_lock(self._credential.pk))
        except Exception as error:  # the run is shown as interrupted
            log.crash("Keeping the result of a check", error)

    def _check(self) -> dict:
        conversation = Conversation(self._plan, seconds=SECONDS, tell=self._tell, before_login=self._note_check)
        verdict = conversation.hold()
        self._state["steps"] = [asdict(step) for step in conversation.steps]
        outcome, networks = self._outcome(verdict)
        words = advice.advise(verdict, outcome, self._plan, seconds=SECONDS, networks=networks)
        return _result(words, verdict, works=advice.works(verdict, outcome))

    def _tell(self, steps):
        self._state["steps"] = [asdict(step) for step in steps]
        self.save()
        # Nothing of the database is held while the mail server is waited for.
        connections.close_all()

    def _note_check(self, ip):
        self._credential.note_check(ip)
        connections.close_all()

    def _outcome(self, verdict: Verdict) -> tuple[Outcome, str]:
        """What the dashboard says about this login now, and the networks it is allowed from."""
        rows = Credential.objects.select_related("domain").without_secrets()
        now = rows.filter(pk=self._credential.pk).first()
        if not now:
            return Outcome.UNKNOWN_USERNAME, ""
        networks = ", ".join(listed(now.allowed_networks))
        if now.password_changed_at != self._credential.password_changed_at:
            return Outcome.WRONG_PASSWORD, networks
        return now.outcome(timezone.now(), verdict.own_ip), networks


@sensitive_variables("password")
def _plan(credential, password, email, *, sends) -> Plan:
    domain, username = credential.domain.name, credential.username
    sender, recipient = f"info@{domain}", _address(email)
    message = None
    if sends:
        message = test_message(domain, credential.short_username, sender=sender, recipient=recipient)
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
    """A person's address as SMTP takes it, its domain as A-label; as it is when it can't be one."""
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


def _key(run_id: UUID, user_pk, credential_pk) -> str:
    return f"livecheck:{run_id}:{user_pk}:{credential_pk}"


def _lock(credential_pk) -> str:
    return f"livecheck:running:{credential_pk}"
