"""A site of two workers, and people who add, reset and delete over HTTP during faults."""

import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from django.conf import settings
from django.test import Client

from tests.http import sign_in
from tests.servers import collect_static, free_port, running
from tests.submission.clients import wait_until

SECONDS = 60


@dataclass(frozen=True)
class Site:
    port: int
    process: object
    log: Path

    def workers(self) -> list[int]:
        """The pids of gunicorn's workers."""
        return [
            int(pid)
            for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]


@contextmanager
def site(folder, **environment):
    collect_static()
    port = free_port()
    environment = {"PORT": str(port), "WEB_WORKERS": "2", "ACCESS_LOG": "/dev/null"} | environment
    with running(
        ["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=folder / "web.log", **environment
    ) as process:
        yield Site(port, process, folder / "web.log")


class Person:
    """A signed-in person; every request has a connection of its own."""

    def __init__(self, port, session):
        self.port = port
        token = "c" * 32
        cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: token}
        self.headers = {"Cookie": "; ".join(map("=".join, cookies.items())), "X-CSRFToken": token}

    def ask(self, method, path, **fields) -> tuple[int, str]:
        """Return (status, redirect target or page). Raises OSError, HTTPException without an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            headers = self.headers | {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, urlencode(fields), headers)
            response = connection.getresponse()
            page = response.read().decode()
            return response.status, response.headers.get("Location") or page
        finally:
            connection.close()


@dataclass
class Owned:
    """What one visitor knows of one credential: acts with an answer, and those without."""

    resets: int = 0
    doubtful_resets: int = 0
    is_deleted: bool = False
    maybe_deleted: bool = False


@dataclass
class Visitor:
    """Adds, resets and deletes credentials of its own until stopped, and remembers every answer."""

    person: Person
    domain: str
    chance: random.Random
    owned: dict[str, Owned] = field(default_factory=dict)
    doubtful_adds: int = 0
    answers: Counter = field(default_factory=Counter)

    def run(self, stopped: threading.Event):
        while not stopped.is_set():
            live = [name for name, owned in self.owned.items() if not (owned.is_deleted or owned.maybe_deleted)]
            act = self.chance.choice(("add", "reset", "reset", "delete")) if live else "add"
            name = self.chance.choice(live) if act != "add" else ""
            try:
                self.act(act, name)
            except (OSError, HTTPException):
                self.answers["none"] += 1
                time.sleep(0.05)

    def act(self, act, username):
        path = f"/domains/{self.domain}/settings/smtp/"
        if act == "add":
            self.doubtful_adds += 1
            status, to = self._ask(path + "add/", key=uuid4())
            if status == 302:
                self.owned[parse_qs(urlsplit(to).query)["new"][0]] = Owned()
            # After a 5xx nobody can know: the connection may have broken after COMMIT.
            self.doubtful_adds -= status < 500
            return
        credential = self.owned[username]
        if act == "reset":
            credential.doubtful_resets += 1
            status, _ = self._ask(f"{path}{username}/reset/")
            credential.doubtful_resets -= status < 500
            credential.resets += status == 302
        else:
            credential.maybe_deleted = True
            status, _ = self._ask(f"{path}{username}/delete/")
            credential.maybe_deleted, credential.is_deleted = status >= 500, status == 302

    def _ask(self, path, **fields):
        status, to = self.person.ask("POST", path, **fields)
        self.answers[status] += 1
        return status, to

    def lost(self, numbers) -> list[str]:
        """Acts that were answered with success and are lost; `numbers` is username → password_number."""
        wrong = []
        for username, known in self.owned.items():
            number = numbers.get(username)
            if known.is_deleted != (number is None) and not known.maybe_deleted:
                wrong.append(f"{username} is {'present' if number else 'gone'}")
            elif number and not 0 <= number - 1 - known.resets <= known.doubtful_resets:
                wrong.append(f"{username}: {known.resets} resets were answered, {number - 1} are stored")
        return wrong


def session_of(user) -> str:
    return sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def visited(port, domain, session, *, visitors=4):
    """Let visitors act while the block runs; yield them. Their answers are complete after it.

    `domain` is a name, `session` the key of an owner's.
    """
    person = Person(port, session)
    with acting([Visitor(person, domain, random.Random(number)) for number in range(visitors)]) as crowd:  # noqa: S311
        yield crowd


@contextmanager
def acting(crowd):
    """The same for these visitors."""
    stopped = threading.Event()
    threads = [threading.Thread(target=visitor.run, args=[stopped]) for visitor in crowd]
    for thread in threads:
        thread.start()
    try:
        yield crowd
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def await_acts(crowd, number):
    """Wait until that many more acts were answered with success, however busy the machine is."""
    before = _answered(crowd)
    wait_until(lambda: _answered(crowd) >= before + number, 90)


def _answered(crowd) -> int:
    return sum(visitor.answers[302] for visitor in crowd)


def answers_of(crowd) -> Counter:
    return sum((visitor.answers for visitor in crowd), Counter())


def lost(crowd, numbers) -> list[str]:
    """What was answered with success and is lost, or exists without an act that can have made it."""
    unknown = sorted(numbers.keys() - {name for visitor in crowd for name in visitor.owned})
    doubtful = sum(visitor.doubtful_adds for visitor in crowd)
    return [line for visitor in crowd for line in visitor.lost(numbers)] + unknown[doubtful:]
