"""CPU time of pages beside the bare view behind the same session, in one process.

Other programs take no CPU time of this process, but share its caches: so each page is compared with the bare
view just before and after it, and the rounds count in which that was the quickest.
"""

import gc
import statistics
import time
from typing import NamedTuple

from django.test import RequestFactory
from django.urls import reverse

from bench.site import DOMAINS

ROUNDS = 24
REQUESTS = 20  # of each page in a round
WARM_UP = 5  # of them, not counted
BARE = "/bench/bare/"


class Page(NamedTuple):
    """`limit` is how many times the bare view's CPU time it may take; `cookie` is of whoever asks."""

    name: str
    path: str
    limit: float
    cookie: str


def report(cookie: str, domain: str, username: str, person: int, cookie_of_many: str):
    """Print each page's CPU time and its ratio to the bare view's."""
    pages = [
        Page("SMTP Credentials", reverse("credentials:list", args=[domain]), 3.0, cookie),
        Page("Overview", reverse("credentials:overview", args=[domain]), 3.5, cookie),
        Page("SMTP user", reverse("credentials:page", args=[domain, username]), 3.5, cookie),
        Page("Activity", reverse("audit:activity", args=[domain]), 3.5, cookie),
        Page("Offboarding", reverse("credentials:offboarding", args=[domain, person]), 3.5, cookie),
        Page("Domains", reverse("credentials:domains"), 2.6, cookie),
        Page(f"Domains, {DOMAINS}", reverse("credentials:domains"), 3.5, cookie_of_many),
    ]
    print(f"CPU time of a page, ratio to the bare view beside it (best quarter of {ROUNDS} rounds), at most")
    for page, (milliseconds, ratio) in measure(pages, Page("bare view", BARE, 1.0, cookie)).items():
        verdict = "ok" if ratio <= page.limit else "ABOVE"
        print(f"  {page.name:<18} {milliseconds:6.2f} ms {ratio:6.2f} {page.limit:5.1f}  {verdict}")


def measure(pages: list[Page], bare: Page) -> dict[Page, tuple[float, float]]:
    """Return the CPU milliseconds of a request, and the ratio to the bare view's, by page."""
    from sendlayer.wsgi import application

    def seconds(page):
        # The first requests fill the processor's caches.
        return statistics.median([get(application, page.path, page.cookie) for _ in range(REQUESTS)][WARM_UP:])

    gc.set_threshold(20_000, 50, 100)  # as gunicorn.conf.py
    for page in pages:
        seconds(page)  # compiles templates
    rounds: dict[Page, list[tuple[float, float]]] = {page: [] for page in pages}
    for _ in range(ROUNDS):
        for page, figures in rounds.items():
            before, of_page, after = seconds(bare), seconds(page), seconds(bare)
            figures.append(((before + after) / 2, of_page))
    return {page: _of_quiet(figures) for page, figures in rounds.items()}


def _of_quiet(rounds) -> tuple[float, float]:
    """Return milliseconds and ratio by the quarter of the rounds in which the machine was the quickest."""
    quiet = sorted(rounds)[: len(rounds) // 4]
    ratio = statistics.median(of_page / of_bare for of_bare, of_page in quiet)
    return statistics.median(of_page for _, of_page in quiet) * 1000, ratio


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
