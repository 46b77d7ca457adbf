"""CPU time of pages beside the bare view behind the same session, in one process.

The best of many short rounds counts: other programs take no CPU time of this process, but share its caches.
"""

import gc
import statistics
import time
from typing import NamedTuple

from django.test import RequestFactory
from django.urls import reverse

from bench.site import DOMAINS

ROUNDS = 20
REQUESTS = 20  # of each page in a round
WARM_UP = 5  # of them, not counted
BARE = "/bench/bare/"


class Page(NamedTuple):
    """`limit` is how many times the bare view's CPU time it may take; `cookie` is of whoever asks."""

    name: str
    path: str
    limit: float
    cookie: str


def report(cookie: str, domain: str, username: str, cookie_of_many: str):
    """Print each page's CPU time and its ratio to the bare view's."""
    bare = Page("bare view", BARE, 1.0, cookie)
    pages = [
        Page("SMTP Credentials", reverse("credentials:list", args=[domain]), 3.0, cookie),
        Page("Overview", reverse("credentials:overview", args=[domain]), 3.5, cookie),
        Page("SMTP user", reverse("credentials:page", args=[domain, username]), 3.5, cookie),
        Page("Activity", reverse("audit:activity", args=[domain]), 3.5, cookie),
        Page("Domains", reverse("credentials:domains"), 2.6, cookie),
        Page(f"Domains, {DOMAINS}", reverse("credentials:domains"), 3.5, cookie_of_many),
    ]
    milliseconds = measure([bare, *pages])
    print(f"CPU time of a page: best of {ROUNDS} rounds, ratio to the bare view, at most")
    print(f"  {bare.name:<18} {milliseconds[bare]:6.2f} ms")
    for page in pages:
        ratio = milliseconds[page] / milliseconds[bare]
        verdict = "ok" if ratio <= page.limit else "ABOVE"
        print(f"  {page.name:<18} {milliseconds[page]:6.2f} ms {ratio:6.2f} {page.limit:5.1f}  {verdict}")


def measure(pages: list[Page]) -> dict[Page, float]:
    """Return the CPU milliseconds of a request by page; the pages take turns."""
    from sendlayer.wsgi import application

    gc.set_threshold(20_000, 50, 100)  # as gunicorn.conf.py
    times: dict[Page, list[float]] = {page: [] for page in pages}
    for number in range(ROUNDS + 1):
        for page, seconds in times.items():
            # The first round compiles templates, the first requests of a round fill the processor's caches.
            measured = [get(application, page.path, page.cookie) for _ in range(REQUESTS)][WARM_UP:]
            if number:
                seconds.append(statistics.median(measured))
    return {page: min(seconds) * 1000 for page, seconds in times.items()}


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
