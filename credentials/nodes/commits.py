"""Notes a moment after the COMMIT of each revocation, where replicas have to replay it.

An event's own time is before its COMMIT, and how long that takes has no bound: a lease that was counted from it
could end too early.
"""

from functools import partial

from django.db import connection, transaction
from django.db.models.signals import post_save

from audit.models import Event
from credentials.models import Node, RefusalSeen
from credentials.revocations import TAGS


def start() -> None:
    """Note the commits of this process from now on."""
    post_save.connect(_recorded, sender=Event, dispatch_uid=__name__)


def _recorded(sender, instance, created, **signal):
    if created and instance.tag in TAGS and connection.vendor == "postgresql":
        # robust: the act is done, whatever becomes of the note.
        transaction.on_commit(partial(_committed, instance.pk), robust=True)


def _committed(event):
    # Of an act on many, the first notes all.
    if Node.objects.filter(has_replica=True).exists():
        RefusalSeen.objects.note_commits(event)
