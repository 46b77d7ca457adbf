"""Checks that a person began: each in a thread, so that no request waits for the DNS."""

import logging

from domains.models import Domain
from domains.verification.check import TooSoon, check
from web.workers import Workers

MOST_CHECKS = 8  # at the same time in one process
THREAD_NAME = "dns-check"

_workers = Workers(THREAD_NAME, threads=MOST_CHECKS)
log = logging.getLogger(__name__)


def start(domain: Domain, *, by) -> None:
    """Begin a check for a person (an Actor) and return at once. Raises TooSoon, Busy."""
    with _workers.reserve() as submit:
        if not domain.begin_check():
            raise TooSoon
        submit(_check, domain, by)


def _check(domain, by):
    try:
        check(domain, by=by)
    except Exception:  # the page says after a while that the check did not end
        log.exception("The check of %s failed", domain.name)
