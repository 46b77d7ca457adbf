"""Erases what was deleted 24 hours ago, also where no timer does."""

import logging

from django.db import DatabaseError
from django.utils import timezone

from credentials.models.deleted import DeletedCredential

log = logging.getLogger("credentials.erasing")


def erase_due() -> int:
    """Erase it; return how many that were."""
    return DeletedCredential.objects.erase_due(timezone.now())


def erase_due_at_start():
    """The same before a web server serves. What the database refuses is left to the timer or the next start."""
    try:
        if erased := erase_due():
            log.info("Deleted SMTP users that are erased now: %s", erased)
    except DatabaseError as error:
        log.warning("Deleted SMTP users are not erased yet: %s", type(error).__name__)
