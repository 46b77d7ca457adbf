"""Guessing is throttled over all workers, and only the guesser is kept out."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from django.test import Client
from redis import Redis

from audit.models import Event
from tests.factories import PASSWORD, make_credential, make_domain
from tests.http import sign_in, smtp_url
from tests.servers import collect_static, free_port, running

pytestmark = pytest.mark.django_db(transaction=True)

WRONG_TRIES = 60
GUESSER, OWNER = "203.0.113.66", "198.51.100.7"


class Visitor:
    """A visitor with an address that the trusted proxy forwards."""

    def __init__(self, port, address):
        self.port, self.headers = port, {"X-Forwarded-For": address}
        page, cookies = self._ask("GET", "/login/")
        self.token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        self.headers |= {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}

    def sign_in(self, password, path="/login/"):
        """Try to sign in; return the outcome as a word."""
        names = {"login": "alice@example.com", "username": "alice@example.com", "password": password}
        page, cookies = self._ask("POST", path, urlencode(names | {"csrfmiddlewaretoken": self.token}))
        if "session=" in cookies:
            return "in"
        known = {"Too many": "throttled", "not correct": "wrong", "": "elsewhere"}
        return next(word for text, word in known.items() if text in page)

    def signed_in_as(self, user):
        self.headers["Cookie"] += f"; session={sign_in(Client(), user).cookies['session'].value}"
        return self

    def post(self, path):
        """Press a button without fields; return the status and the page."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", path, urlencode({"csrfmiddlewaretoken": self.token}), self.headers)
        response = connection.getresponse()
        page = response.read().decode()
        connection.close()
        return response.status, page

    def _ask(self, method, path, body=None):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, self.headers)
        response = connection.getresponse()
        page = response.read().decode()
        cookies = "; ".join(cookie.split(";")[0] for cookie in response.headers.get_all("Set-Cookie", []))
        connection.close()
        return page, cookies


@contextmanager
def redis_server(folder):
    assert shutil.which("redis-server"), "redis-server is not installed: apt-get install redis-server"
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(options, port=port, log=folder / "redis.log", program="redis-server"):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="module", params=["database", pytest.param("redis", marks=pytest.mark.one_database)])
def port(request, django_db_setup, tmp_path_factory):
    """A site of two workers behind a proxy, which count in the database or in Redis."""
    collect_static()
    port, folder = free_port(), tmp_path_factory.mktemp("throttle")
    environment = {"PORT": str(port), "WEB_WORKERS": "2", "TRUSTED_PROXIES": "127.0.0.1"}
    serve = partial(running, ["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=folder / "web.log")
    if request.param == "database":
        with serve(**environment):
            yield port
        return
    with redis_server(folder) as url:
        with serve(**environment, CACHE_URL=url):
            yield port
        assert Redis.from_url(url).dbsize()


def test_60_wrong_sign_ins_are_throttled_while_the_owner_signs_in_from_elsewhere(port, alice):
    guesser = Visitor(port, GUESSER)
    with ThreadPoolExecutor(8) as at_once:
        said = list(at_once.map(guesser.sign_in, [f"wrong-guess-{n}" for n in range(WRONG_TRIES)]))
    assert set(said) == {"wrong", "throttled"}
    assert said.count("wrong") <= 5
    assert guesser.sign_in(PASSWORD) == "throttled"
    assert guesser.sign_in(PASSWORD, "/admin/login/") == "elsewhere"
    assert Visitor(port, OWNER).sign_in(PASSWORD) == "in"


def test_at_most_60_passwords_are_opened_concurrently_or_later(port, alice):
    domain = make_domain(owner=alice)
    shown, copied = make_credential(domain), make_credential(domain)
    person = Visitor(port, OWNER).signed_in_as(alice)

    def open_one(number):
        return person.post(smtp_url(*((shown, "reveal") if number % 2 else (copied, "copy"))))

    with ThreadPoolExecutor(8) as at_once:
        statuses = [status for status, _page in at_once.map(open_one, range(80))]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) == Event.objects.filter(tag__startswith="credential.password_").count() <= 60
    status, page = person.post(smtp_url(copied, "copy"))
    assert status == 429 and "60 passwords within 10 minutes" in page
