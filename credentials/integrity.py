"""Consistency check: does everything that is stored agree with itself and with the events?"""

from collections.abc import Iterator

from django.db.models import Count, F, Max, Q

from audit.models import Event
from credentials import verifier
from credentials.models import Credential
from credentials.models.base import password_data
from credentials.models.batches import chunks
from credentials.models.deleted import DeletedCredential
from credentials.rotation import KEEP_FOR
from domains.models import Domain
from vault import cipher, registry

ROWS_PER_BATCH = 1000
LONGEST_KEPT = max(KEEP_FOR.values())
MAX_SECONDS_APART = 120  # time in a row and time of its event, written in one transaction

CREATED, RESET, DELETED, RESTORED = (f"credential.{act}" for act in ("created", "reset", "deleted", "restored"))
NAMES = {Credential: "SMTP user", DeletedCredential: "deleted SMTP user"}


def faults() -> Iterator[str]:
    """Yield a line for each fault, which names the row and contains no secret. Only reads."""
    for model in (Credential, DeletedCredential):
        for rows in chunks(model.objects.order_by("pk").iterator(ROWS_PER_BATCH), ROWS_PER_BATCH):
            # Row and events are read one after the other: read again what may have changed in between.
            suspects = [row.pk for row, _fault in _faults_of(rows)]
            if suspects:
                for row, fault in _faults_of(list(model.objects.filter(pk__in=suspects))):
                    yield f"{NAMES[model]} {row.username}: {fault}"
    yield from _missing()
    for column in registry.sealed_columns():
        if column.model in (Credential, DeletedCredential):
            continue
        for row in column.rows().order_by("pk").iterator(ROWS_PER_BATCH):
            for token in column.tokens(row).values():
                if not _opens(token, column.associated_data(row)):
                    yield f"{column.name}, row {row.pk}: can't be unsealed"


def _faults_of(rows) -> Iterator[tuple]:
    histories = _histories([row.username for row in rows])
    for row in rows:
        for fault in (*_secrets(row), *_history(row, histories.get(row.username))):
            yield row, fault


def _secrets(row) -> Iterator[str]:
    try:
        password = cipher.open(row.password_sealed, associated_data=password_data(row.username))
    except cipher.CannotOpen as error:
        yield f"its password can't be unsealed: {error}"
        return
    if not verifier.check(password, row.verifier)[0]:
        yield "its password does not match its verifier"


def _histories(usernames) -> dict[str, dict]:
    """Summarize events by username: counts of acts, and when a password was last made or kept."""
    events = Event.objects.filter(credential__in=usernames).values("credential")
    rows = events.annotate(
        created=Count("pk", filter=Q(tag=CREATED)),
        reset=Count("pk", filter=Q(tag=RESET)),
        deleted=Count("pk", filter=Q(tag=DELETED)),
        restored=Count("pk", filter=Q(tag=RESTORED)),
        made_at=Max("at", filter=Q(tag__in=(CREATED, RESET))),
        kept_at=Max("at", filter=Q(tag=RESET, data__has_key="kept_for")),
    )
    return {row["credential"]: row for row in rows}


def _history(row, history) -> Iterator[str]:
    if history is None:
        yield "no event records it"
        return
    if history["created"] != 1:
        yield f"{history['created']} events record that it was added"
    if history["reset"] != row.password_number - 1:
        yield f"it has password number {row.password_number}, but {history['reset']} events record a reset"
    made_at = history["made_at"]
    if made_at and abs((made_at - row.password_changed_at).total_seconds()) > MAX_SECONDS_APART:
        yield "no event records the last change of its password"
    # This verifier has no sealed password: someone who can write to the database could log in by it.
    if row.previous_verifier and not _is_recorded(row.previous_valid_until, history):
        yield "no event records that its old password is kept this long"
    if history["deleted"] - history["restored"] != isinstance(row, DeletedCredential):
        deleted, restored = history["deleted"], history["restored"]
        yield f"{deleted} events record that it was deleted, {restored} that it was restored"


def _is_recorded(until, history) -> bool:
    """Whether the last change of the password kept the previous one until this time or later."""
    kept_at = history["kept_at"]
    return bool(kept_at and until) and kept_at == history["made_at"] and until <= kept_at + LONGEST_KEPT


def _missing() -> Iterator[str]:
    """Credentials that should exist by the events, except those of deleted domains."""
    domains = Domain.objects.values("pk")
    acts = Event.objects.filter(domain__in=domains, tag__in=(CREATED, DELETED, RESTORED)).values("credential")
    standing = acts.annotate(
        come=Count("pk", filter=Q(tag__in=(CREATED, RESTORED))), gone=Count("pk", filter=Q(tag=DELETED))
    ).filter(come__gt=F("gone"))
    usernames = standing.order_by("credential").values_list("credential", flat=True)
    for names in chunks(usernames.iterator(ROWS_PER_BATCH), ROWS_PER_BATCH):
        known = set(Credential.objects.filter(username__in=names).values_list("username", flat=True))
        for username in names:
            if username not in known:
                yield f"SMTP user {username}: it is missing, and no event records that it was deleted"


def _opens(token, place) -> bool:
    try:
        cipher.open(token, associated_data=place)
    except cipher.CannotOpen:
        return False
    return True
