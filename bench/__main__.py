"""`make bench`: ratios measured in one run on this machine. Loads are bounded and on loopback."""

import gzip
import re
import shutil
import smtplib
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from urllib.parse import urljoin

from bench import site

SECONDS = 5
ROUNDS = 3
CONNECTIONS = 8
AUTH_CLIENTS = 8
AUTH_SECONDS = 8


def main():
    if not shutil.which("wrk"):
        sys.exit("bench: wrk is missing (apt-get install wrk)")
    var_dir = site.prepare()
    with site.cleaned_up(var_dir):
        cookie, domain, issued = site.fill()
        leaver, cookie_of_many = site.fill_leaver(domain), site.fill_many()
        # Imported after Django is set up: they ask the database for its name.
        from bench import pages
        from tests.servers import free_port, running

        pages.report(cookie, domain, issued[0][0], leaver, cookie_of_many)
        web, smtp = free_port(), free_port()
        log = var_dir / "bench.log"
        with running(["-m", "gunicorn", "sendlayer.wsgi"], port=web, log=log, PORT=str(web), WEB_WORKERS="2"):
            base = f"http://127.0.0.1:{web}"
            tab = f"{base}/domains/{domain}/settings/smtp/"
            report_speed(cookie, tab, f"{base}/bench/bare/")
            report_weight(cookie, base, tab)
        with running(["manage.py", "submission"], port=smtp, log=log, SUBMISSION_PORT=str(smtp)):
            report_auth(smtp, issued)


def report_speed(cookie, tab, bare):
    # In turns, so that other load on the machine affects both alike.
    figures = {url: [] for url in (bare, tab)}
    for _ in range(ROUNDS):
        for url, runs in figures.items():
            runs.append(wrk(url, cookie))
    rates = {}
    for name, url in (("bare view", bare), (f"tab, {site.CREDENTIALS} rows", tab)):
        rate, p50, p99 = (statistics.median(column) for column in zip(*figures[url], strict=True))
        rates[url] = rate
        print(f"{name:<14} {rate:8.0f} requests/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")
    print(f"ratio tab / bare view: {rates[tab] / rates[bare]:.2f}  (median of {ROUNDS} rounds of {SECONDS} s)")


def wrk(url, cookie):
    """Return (requests/s, p50 in ms, p99 in ms); raise when any answer is not a 2xx."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-H", f"Cookie: {cookie}"]
    # A connection per request, as most proxies do: kept open, all might go to one of the
    # two workers, and the figures would only show that.
    command += ["-H", "Accept-Encoding: gzip", "-H", "Connection: close", url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(output)
    latencies = re.findall(r"^ +(50|99)% +(\S+)", output, re.MULTILINE)
    latency = {percent: milliseconds(value) for percent, value in latencies}
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]), latency["50"], latency["99"]


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def report_weight(cookie, base, tab):
    """Print the bytes over the wire of a first load: the page and all that its HTML and scripts load.

    The page preloads its font; those that the CSS has for other scripts are only loaded for text in them.
    """
    total, seen, queue = 0, set(), [tab]
    while queue:
        url = queue.pop()
        if url in seen:
            continue
        seen.add(url)
        wire, text = fetch(url, cookie)
        total += wire
        if url == tab:
            print(f"page: {len(text)} bytes of HTML, {wire} over the wire with its headers")
            queue += [base + path for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', text)]
        elif url.endswith(".js"):
            queue += [urljoin(url, path) for path in re.findall(r'import[^"]*"(\./[^"]+)"', text)]
    print(f"first load: {total / 1000:.1f} kB over the wire in {len(seen)} requests")


def fetch(url, cookie):
    request = urllib.request.Request(url, headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        body = answer.read()
        headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        packed = answer.headers.get("Content-Encoding") == "gzip"
    return len(body) + headers, (gzip.decompress(body) if packed else body).decode("utf-8", "replace")


def report_auth(port, issued):
    """Print the sessions with STARTTLS and AUTH per second, and how long the AUTH itself takes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + AUTH_SECONDS

    def client(number):
        durations = []
        while time.monotonic() < deadline:
            username, password = issued[(number + len(durations)) % len(issued)]
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as session:
                session.starttls(context=context)
                session.ehlo()
                started = time.perf_counter()
                session.login(username, password)
                durations.append((time.perf_counter() - started) * 1000)
        return durations

    started = time.monotonic()
    with ThreadPoolExecutor(AUTH_CLIENTS) as pool:
        durations = list(chain.from_iterable(pool.map(client, range(AUTH_CLIENTS))))
    rate = len(durations) / (time.monotonic() - started)
    median = statistics.median(durations)
    print(
        f"listener: {rate:.0f} sessions with STARTTLS and AUTH a second by {AUTH_CLIENTS} clients; "
        f"AUTH p50 {median:.1f} ms"
    )


if __name__ == "__main__":
    main()
