"""A request to HEARTBEAT_URL_<JOB> after each run, for a monitor that raises an alarm when none comes.

After a failure `/fail` is appended to the path, as healthchecks.io has it. The URLs are secrets: who knows one
can report success.
"""

import logging
from urllib.parse import urlsplit, urlunsplit

import requests
from django.conf import settings

from web.workers import Busy, Workers

SECONDS = 10  # in all: the timeout of requests begins again with each byte
_workers = Workers("heartbeat", threads=4, seconds=SECONDS)

log = logging.getLogger(__name__)


def url_of(job: str) -> str:
    """Return the job's heartbeat URL, "" for none."""
    return getattr(settings, f"HEARTBEAT_URL_{job.upper()}")


def is_http(url: str) -> bool:
    """Whether it is a URL that can be pinged."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def report(job: str, *, is_failure: bool) -> None:
    """Tell the job's monitor. Never raises, and logs neither the URL nor an answer that may quote it."""
    url = url_of(job)
    if not url:
        return
    try:
        status = _workers.call(_ping, _of_failure(url) if is_failure else url)
    except (requests.RequestException, ValueError, OSError, Busy) as error:
        log.warning("The heartbeat monitor of %s can't be reached: %s", job, type(error).__name__)
        return
    if not 200 <= status < 300:
        log.warning("The heartbeat monitor of %s answered %d", job, status)


def _of_failure(url) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/fail"))


def _ping(url) -> int:
    # A redirect could lead anywhere, with the secret.
    with requests.get(url, timeout=SECONDS, allow_redirects=False, stream=True) as response:
        return response.status_code
