"""`make bench-attacks`: how long a visitor waits for the sign-in page while eight signed-in users attack.

They send texts that once took quadratic time to clean: blanks between two letters, and combining
marks in a row. Bounded in number and time, on loopback, against gunicorn as `make run` starts it.
"""

import os
import statistics
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

from bench import site

VISITS = 400
PAUSE = 0.02  # between two visits
ATTACKERS = 8
VOLLEYS = 8  # of all attackers at once
INTERVAL = 1.0  # seconds from one volley to the next
TIMEOUT = 150
TEXTS = ("x" + " " * 20_000 + "x", "a" + "\u0315\u0300" * 60_000)
# Encoded once, since encoding would be timed with the visits.
BODIES = [urlencode({"name": text, "csrfmiddlewaretoken": "c" * 32}).encode() for text in TEXTS]


def main():
    var_dir = site.prepare()
    with site.cleaned_up(var_dir):
        cookie, _domain, _issued = site.fill()
        # Imported after Django is set up: it asks the database for its name.
        from django.urls import reverse

        from tests.servers import free_port, running

        port, log = free_port(), var_dir / "bench.log"
        arguments = ["-m", "gunicorn", "sendlayer.wsgi"]
        with running(arguments, port=port, log=log, PORT=str(port), WEB_WORKERS="2") as server:
            base = f"http://127.0.0.1:{port}"
            sign_in, profile = base + reverse("account_login"), base + reverse("account_profile")
            measure(sign_in, profile, cookie, server.pid)


def measure(sign_in, profile, cookie, pid):
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    visits(sign_in, until=lambda number: number >= 50)  # templates are compiled at the first
    workers = children(pid)
    idle = visits(sign_in, until=lambda number: number >= VISITS)
    with ThreadPoolExecutor(1) as pool:
        attack = pool.submit(volleys, profile, cookie)
        attacked = visits(sign_in, until=lambda _number: attack.done())
        answers = attack.result()
    report("idle", idle)
    report("attacked", attacked)
    slowest = max(seconds for _status, seconds in answers)
    statuses = dict(Counter(status for status, _seconds in answers))
    print(f"{len(answers)} attacks by {ATTACKERS} at once: answers {statuses}, the slowest {slowest:.2f} s")
    print(f"ratio of p99, attacked / idle: {p99(attacked) / p99(idle):.2f}")
    replaced = "none" if children(pid) == workers else f"{sorted(workers)} became {sorted(children(pid))}"
    print(f"workers that were replaced: {replaced}")


def visits(url, *, until) -> list[float]:
    """Return how long each visit took, also those that failed."""
    durations = []
    while not until(len(durations)):
        durations.append(ask(urllib.request.Request(url))[1])
        time.sleep(PAUSE)
    return durations


def volleys(url, cookie) -> list[tuple[int, float]]:
    """Return (status, seconds) of every attack; the attackers of a volley wait for one another."""
    answers = []
    with ThreadPoolExecutor(ATTACKERS) as pool:
        for _ in range(VOLLEYS):
            began = time.monotonic()
            attacks = [attack(url, cookie, body) for body in BODIES] * (ATTACKERS // len(BODIES))
            answers += pool.map(ask, attacks)
            if time.monotonic() - began > TIMEOUT / VOLLEYS:
                break  # slow enough to stop
            time.sleep(max(0, began + INTERVAL - time.monotonic()))
    return answers


def attack(url, cookie, body) -> urllib.request.Request:
    return urllib.request.Request(url, body, headers={"Cookie": cookie})


def ask(request) -> tuple[int, float]:
    """Return status (0 without a response) and seconds of a request, with its response read to the end."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            answer.read()
            status = answer.status
    except urllib.error.HTTPError as refused:
        status = refused.code
    except OSError:
        status = 0
    return status, time.monotonic() - began


def children(pid) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def report(name, durations):
    print(
        f"sign-in page, {name:<9} {len(durations):5} visits   p50 {statistics.median(durations) * 1000:7.1f} ms"
        f"   p99 {p99(durations) * 1000:8.1f} ms   slowest {max(durations) * 1000:8.1f} ms"
    )


def p99(durations) -> float:
    # Of a few visits, as while nothing is answered, the slowest.
    return sorted(durations)[min(len(durations) - 1, round(len(durations) * 0.99))]


if __name__ == "__main__":
    main()
