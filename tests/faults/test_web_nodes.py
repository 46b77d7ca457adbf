"""Two web nodes behind nginx, each with a folder of its own and the same keys and database."""

import os
import random
import shutil
import signal
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.urls import reverse

from accounts.emails import Letter
from credentials.models import Credential
from tests.factories import make_credential
from tests.faults.figures import FACTOR
from tests.faults.web import Person, Visitor, acting, answers_of, await_acts, lost, session_of
from tests.http import smtp_url
from tests.proxies import NAME, nginx_of_nodes
from tests.servers import collect_static, free_port, running
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
SECONDS = 60
LETTERS = 20


@contextmanager
def node(folder, **environment):
    """Run a web node; yield its process, with its port as `port`."""
    collect_static()
    folder.mkdir()
    port = free_port()
    given = {
        "PORT": str(port),
        "VAR_DIR": str(folder),
        "STATIC_ROOT": str(settings.STATIC_ROOT),
        "ALLOWED_HOSTS": NAME,
        "TRUSTED_PROXIES": "127.0.0.1",
        "WEB_WORKERS": "1",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",  # nobody
        "ACCESS_LOG": "/dev/null",
    }
    with running(
        ["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=folder / "log", **(given | environment)
    ) as process:
        process.port = port
        yield process


def kill(process):
    """End gunicorn and its workers as the loss of the machine does."""
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)


class Browser(Person):
    """A signed-in person whose requests go through the proxy."""

    def __init__(self, proxy, session):
        super().__init__(proxy.https, session)
        self.tls = proxy.tls
        self.tls.check_hostname = False
        self.headers |= {"Host": NAME, "Origin": f"https://{NAME}"}

    def ask(self, method, path, **fields):
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=self.tls)
        try:
            headers = self.headers | {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, urlencode(fields), headers)
            response = connection.getresponse()
            page = response.read().decode(errors="replace")
            return response.status, response.headers.get("Location") or page
        finally:
            connection.close()


@dataclass
class PatientVisitor(Visitor):
    """Presses the button once more when there was no answer, or none of a web node."""

    retried: int = 0
    failed: list = field(default_factory=list)

    def act(self, act, username):
        if self._succeeds(act, username):
            return
        self.retried += 1
        if not self._succeeds(act, username):
            self.failed.append(act)

    def _succeeds(self, act, username) -> bool:
        before = Counter(self.answers)
        try:
            super().act(act, username)
        except (OSError, HTTPException):
            return False
        answers = self.answers - before
        if act == "delete" and answers[404] and self.owned[username].maybe_deleted is False:
            self.owned[username].is_deleted = True  # the first time, without an answer
            return True
        return bool(answers[302])


class Sink:
    """A mail server that counts what it is given for each recipient."""

    def __init__(self):
        self.recipients = Counter()

    async def handle_DATA(self, server, session, envelope):
        self.recipients.update(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture(scope="module")
def sink():
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    sink.url = f"smtp://127.0.0.1:{controller.port}"
    yield sink
    controller.stop()


@pytest.fixture(scope="module")
def nodes(django_db_setup, django_db_blocker, tmp_path_factory, sink):
    folder = tmp_path_factory.mktemp("nodes")
    with (
        django_db_blocker.unblock(),
        node(folder / "one", EMAIL_URL=sink.url) as one,
        node(folder / "two", EMAIL_URL=sink.url) as two,
    ):
        yield one, two


def addresses(nodes):
    return [f"127.0.0.1:{node.port}" for node in nodes]


def person_at(node, user):
    person = Person(node.port, session_of(user))
    person.headers["Host"] = NAME
    return person


def test_pages_find_their_files_while_only_one_node_has_the_new_version(nodes, tmp_path, domain, alice):
    old = shutil.copytree(settings.STATIC_ROOT, tmp_path / "static")
    new = next(old.glob("css/*.*.css"))
    for path in old.glob(f"css/{new.name}*"):
        path.unlink()
    with (
        node(tmp_path / "old", STATIC_ROOT=str(old)) as former,
        nginx_of_nodes(tmp_path, *addresses([former, nodes[1]])) as proxy,
    ):
        assert person_at(former, alice).ask("GET", f"/static/css/{new.name}")[0] == 404
        browser = Browser(proxy, session_of(alice))
        assert {browser.ask("GET", f"/static/css/{new.name}")[0] for _ in range(8)} == {200}
        assert browser.ask("GET", "/static/nothing.css")[0] == 404


def test_check_that_one_node_runs_is_shown_by_the_other(nodes, domain, alice):
    credential = make_credential(domain)
    one, two = (person_at(node, alice) for node in nodes)
    status, run = one.ask("POST", smtp_url(credential, "page") + "check/", sends="")
    assert status == 302

    def has_ended():
        status, page = two.ask("GET", run)
        assert status == 200
        return "refuses connections" in page

    assert wait_until(has_ended, SECONDS)


def test_letters_of_two_nodes_are_sent_once_each(nodes, sink, domain, alice):
    invite, people = reverse("domains:invite", args=[domain.name]), [person_at(node, alice) for node in nodes]
    for number in range(LETTERS):
        fields = {"emails": f"new{number}@example.org", "role": "viewer"}
        assert people[number % 2].ask("POST", invite, **fields)[0] == 302
    wait_until(lambda: not Letter.objects.exists(), SECONDS)
    assert sink.recipients == {f"new{number}@example.org": 1 for number in range(LETTERS)}


def test_no_act_fails_after_one_retry_while_a_node_is_killed(nodes, tmp_path, domain, alice, figures):
    """The last test, since it ends one of them."""
    with nginx_of_nodes(tmp_path, *addresses(nodes)) as proxy:
        browser = Browser(proxy, session_of(alice))
        crowd = [PatientVisitor(browser, domain.name, random.Random(number)) for number in range(4)]  # noqa: S311
        with acting(crowd):
            await_acts(crowd, 10 * FACTOR)
            kill(nodes[0])
            figures.count(kills=1)
            await_acts(crowd, 10 * FACTOR)
        assert browser.ask("GET", smtp_url(domain))[0] == 200
    answers, failed = answers_of(crowd), [act for visitor in crowd for act in visitor.failed]
    missing = lost(crowd, dict(Credential.objects.values_list("username", "password_number")))
    retried = sum(visitor.retried for visitor in crowd)
    figures.count(answered=answers[302], retried=retried, failed=len(failed), lost=len(missing))
    assert (failed, missing) == ([], [])
