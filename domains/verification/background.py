"""Checks that a person began: each in a thread, so that no request waits for the DNS."""

import logging
import threading

from django.db import connections

from domains.models import Domain
from domains.verification.check import TooSoon, check

MOST_CHECKS = 8  # at the same time in one process
THREAD_NAME = "dns-check"

_slots = threading.BoundedSemaphore(MOST_CHECKS)
log = logging.getLogger(__name__)


class Busy(Exception):
    """Too many checks are running."""


def start(domain: Domain, *, by) -> None:
    """Begin a check for a person (an Actor) and return at once. Raises TooSoon, Busy."""
    if not _slots.acquire(blocking=False):
        raise Busy
    try:
        if not domain.begin_check():
            raise TooSoon
        threading.Thread(target=_work, args=(domain, by), name=THREAD_NAME, daemon=True).start()
    except BaseException:
        _slots.release()
        raise


def _work(domain, by):
    try:
        check(domain, by=by)
    except Exception:  # the page says after a while that the check did not end
        log.exception("The check of %s failed", domain.name)
    finally:
        connections.close_all()
        _slots.release()
