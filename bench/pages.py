"""CPU time of pages beside the bare view behind the same session, in one process.

The best of many short rounds counts: other programs take no CPU time of this process, but share its caches.
"""

import gc
import statistics
import time
from typing import NamedTuple

from django.test import RequestFactory
from django.urls import reverse

ROUNDS = 20
REQUESTS = 20  # of each page in a round
WARM_UP = 5  # of them, not counted
BARE = "/bench/bare/"


class Page(NamedTuple):
    """`limit` is how many times the bare view's CPU time it may take."""

    name: str
    path: str
    limit: float


def report(cookie: str, domain: str, username: str):
    """Print each page's CPU time and its ratio to the bare view's."""
    pages = [
        Page("SMTP Credentials", reverse("credentials:list", args=[domain]), 3.0),
        Page("Overview", reverse("credentials:overview", args=[domain]), 3.5),
        Page("SMTP user", reverse("credentials:page", args=[domain, username]), 3.5),
        Page("Activity", reverse("audit:activity", args=[domain]), 3.5),
        Page("Domains", reverse("credentials:domains"), 2.6),
    ]
    milliseconds = measure(cookie, [BARE, *(page.path for page in pages)])
    print(f"CPU time of a page: best of {ROUNDS} rounds, ratio to the bare view, at most")
    print(f"  {'bare view':<18} {milliseconds[BARE]:6.2f} ms")
    for page in pages:
        ratio = milliseconds[page.path] / milliseconds[BARE]
        verdict = "ok" if ratio <= page.limit else "ABOVE"
        print(f"  {page.name:<18} {milliseconds[page.path]:6.2f} ms {ratio:6.2f} {page.limit:5.1f}  {verdict}")


def measure(cookie: str, paths: list[str]) -> dict[str, float]:
    """Return the CPU milliseconds of a request by path; the paths take turns."""
    from sendlayer.wsgi import application

    gc.set_threshold(20_000, 50, 100)  # as gunicorn.conf.py
    times: dict[str, list[float]] = {path: [] for path in paths}
    for number in range(ROUNDS + 1):
        for path, seconds in times.items():
            # The first round compiles templates, the first requests of a round fill the processor's caches.
            measured = [get(application, path, cookie) for _ in range(REQUESTS)][WARM_UP:]
            if number:
                seconds.append(statistics.median(measured))
    return {path: min(seconds) * 1000 for path, seconds in times.items()}


def get(application, path, cookie) -> float:
    """Request a page as gunicorn does; return its CPU seconds. Raises RuntimeError for any answer but 200."""
    factory = RequestFactory(SERVER_NAME="127.0.0.1", HTTP_COOKIE=cookie, HTTP_ACCEPT_ENCODING="gzip")
    environ, statuses = factory.get(path).environ, []
    started = time.process_time()
    answer = application(environ, lambda status, _headers: statuses.append(status))
    b"".join(answer)
    answer.close()
    seconds = time.process_time() - started
    if statuses != ["200 OK"]:
        raise RuntimeError(f"{path}: {statuses}")
    return seconds
