"""Checks that somebody started by hand, each in a thread, so that no request waits for the DNS."""

import logging

from domains.models import Domain
from domains.verification.check import TooSoon, check
from web.workers import Workers

MOST_CHECKS = 8  # at the same time in one process
THREAD_NAME = "dns-check"

_workers = Workers(THREAD_NAME, threads=MOST_CHECKS)
log = logging.getLogger(__name__)


def start(domain: Domain, *, by) -> None:
    """Start a check for an Actor and return immediately. Raises TooSoon, Busy."""
    with _workers.reserve() as submit:
        if not domain.begin_check():
            raise TooSoon
        submit(_check, domain, by)


def _check(domain, by):
    try:
        check(domain, by=by)
    except Exception:  # the page shows the check as interrupted
        log.exception("Checking the DNS of %s failed", domain.name)
