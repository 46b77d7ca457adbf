"""The oracle: does everything that is stored agree with itself and with what was recorded?"""

from collections.abc import Iterator

from django.db.models import Count, F, Max, Q

from audit.models import Event
from credentials import verifier
from credentials.models import Credential
from credentials.models.base import place_of_password
from credentials.models.batches import chunks
from credentials.models.deleted import DeletedCredential
from credentials.rotation import KEEP_FOR
from domains.models import Domain
from vault import cipher, registry

BATCH = 1000
LONGEST = max(KEEP_FOR.values())
LATE_SECONDS = 120  # between the time in a row and its event, written in one transaction

CREATED, RESET, DELETED, RESTORED = (f"credential.{act}" for act in ("created", "reset", "deleted", "restored"))
WORDS = {Credential: "SMTP user", DeletedCredential: "deleted SMTP user"}


def faults() -> Iterator[str]:
    """Yield what is wrong, a line each that names the row and holds no secret. It only reads."""
    for model in (Credential, DeletedCredential):
        for rows in chunks(model.objects.order_by("pk").iterator(BATCH), BATCH):
            # Row and events are read one after the other: what changed in between is read once more.
            suspects = [row.pk for row, _fault in _faults_of(rows)]
            if suspects:
                for row, fault in _faults_of(list(model.objects.filter(pk__in=suspects))):
                    yield f"{WORDS[model]} {row.username}: {fault}"
    yield from _lost()
    for column in registry.sealed_columns():
        if column.model in (Credential, DeletedCredential):
            continue
        for row in column.rows().order_by("pk").iterator(BATCH):
            for token in column.tokens(row).values():
                if not _opens(token, column.associated_data(row)):
                    yield f"{column.name}, row {row.pk}: does not open"


def _faults_of(rows) -> Iterator[tuple]:
    told = _told_of([row.username for row in rows])
    for row in rows:
        for fault in (*_secrets(row), *_history(row, told.get(row.username))):
            yield row, fault


def _secrets(row) -> Iterator[str]:
    try:
        password = cipher.open(row.password_sealed, associated_data=place_of_password(row.username))
    except cipher.CannotOpen as error:
        yield f"its password does not open: {error}"
        return
    if not verifier.check(password, row.verifier)[0]:
        yield "its password does not fit its verifier"


def _told_of(usernames) -> dict[str, dict]:
    """What the events tell of these usernames: counts of each act, when the password was made, and one kept."""
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


def _history(row, told) -> Iterator[str]:
    if told is None:
        yield "no event tells of it"
        return
    if told["created"] != 1:
        yield f"{told['created']} events tell that it was added"
    if told["reset"] != row.password_number - 1:
        yield f"it has its password number {row.password_number}, but {told['reset']} events of resets"
    if told["made_at"] and abs((told["made_at"] - row.password_changed_at).total_seconds()) > LATE_SECONDS:
        yield "no event tells of the last change of its password"
    # No sealed password stands behind this verifier: who writes the database could let themselves in by it.
    if row.previous_verifier and not _is_told_of(row.previous_valid_until, told):
        yield "no event tells that its old password is kept for as long"
    if told["deleted"] - told["restored"] != isinstance(row, DeletedCredential):
        yield f"{told['deleted']} events tell that it was deleted, {told['restored']} that it was restored"


def _is_told_of(until, told) -> bool:
    """Whether the last change of a password kept the one before, until this time or a later one."""
    kept_at = told["kept_at"]
    return bool(kept_at and until) and kept_at == told["made_at"] and until <= kept_at + LONGEST


def _lost() -> Iterator[str]:
    """Those that by the events should be there, unless their domain was deleted."""
    domains = Domain.objects.values("pk")
    acts = Event.objects.filter(domain__in=domains, tag__in=(CREATED, DELETED, RESTORED)).values("credential")
    standing = acts.annotate(
        come=Count("pk", filter=Q(tag__in=(CREATED, RESTORED))), gone=Count("pk", filter=Q(tag=DELETED))
    ).filter(come__gt=F("gone"))
    usernames = standing.order_by("credential").values_list("credential", flat=True)
    for names in chunks(usernames.iterator(BATCH), BATCH):
        known = set(Credential.objects.filter(username__in=names).values_list("username", flat=True))
        for username in names:
            if username not in known:
                yield f"SMTP user {username}: it is missing, and no event tells that it was deleted"


def _opens(token, place) -> bool:
    try:
        cipher.open(token, associated_data=place)
    except cipher.CannotOpen:
        return False
    return True
