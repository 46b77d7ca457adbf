"""Guessing is throttled over all web nodes, and only the guesser is kept out."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import cycle
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from redis import Redis

from audit.models import Event
from tests.accounts.codes import code_of, make_totp
from tests.factories import PASSWORD, make_credential, make_domain, make_invitation
from tests.http import sign_in, smtp_url
from tests.servers import collect_static, free_port, running

pytestmark = pytest.mark.django_db(transaction=True)

WRONG_TRIES = 60
GUESSER, OWNER = "203.0.113.66", "198.51.100.7"


class Visitor:
    """A visitor with an address that the trusted proxy forwards, to one node after the other."""

    def __init__(self, ports, address):
        self._ports, self.headers = cycle(ports), {"X-Forwarded-For": address}
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

    def post(self, path, **fields):
        """Press a button; return the status and the page."""
        response, page = self._exchange("POST", path, urlencode(fields | {"csrfmiddlewaretoken": self.token}))
        return response.status, page

    def _ask(self, method, path, body=None):
        response, page = self._exchange(method, path, body)
        cookies = "; ".join(cookie.split(";")[0] for cookie in response.headers.get_all("Set-Cookie", []))
        return page, cookies

    def _exchange(self, method, path, body):
        connection = HTTPConnection("127.0.0.1", next(self._ports), timeout=60)
        connection.request(method, path, body, self.headers)
        response = connection.getresponse()
        page = response.read().decode()
        connection.close()
        return response, page


@contextmanager
def redis_server(folder):
    assert shutil.which("redis-server"), "redis-server is not installed: apt-get install redis-server"
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(options, port=port, log=folder / "redis.log", program="redis-server"):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def two_nodes(folder, **environment):
    """Run two web nodes, with a folder each and a worker each; yield their ports."""
    collect_static()
    given = {"WEB_WORKERS": "1", "TRUSTED_PROXIES": "127.0.0.1", "STATIC_ROOT": str(settings.STATIC_ROOT)}
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        for port in ports:
            own = {"PORT": str(port), "VAR_DIR": str(folder / str(port))} | given | environment
            log = folder / f"{port}.log"
            stack.enter_context(running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, **own))
        yield ports


@pytest.fixture(scope="module", params=["database", pytest.param("redis", marks=pytest.mark.one_database)])
def ports(request, django_db_setup, tmp_path_factory):
    """The ports of two web nodes behind a proxy, which count in the database or in Redis."""
    folder = tmp_path_factory.mktemp("throttle")
    if request.param == "database":
        with two_nodes(folder) as ports:
            yield ports
        return
    with redis_server(folder) as url:
        with two_nodes(folder, CACHE_URL=url) as ports:
            yield ports
        assert Redis.from_url(url).dbsize()


def test_60_wrong_sign_ins_are_throttled_while_the_owner_signs_in_from_elsewhere(ports, alice):
    guesser = Visitor(ports, GUESSER)
    with ThreadPoolExecutor(8) as at_once:
        said = list(at_once.map(guesser.sign_in, [f"wrong-guess-{n}" for n in range(WRONG_TRIES)]))
    assert set(said) == {"wrong", "throttled"}
    assert said.count("wrong") <= 5
    assert guesser.sign_in(PASSWORD) == "throttled"
    assert guesser.sign_in(PASSWORD, "/admin/login/") == "elsewhere"
    assert Visitor(ports, OWNER).sign_in(PASSWORD) == "in"


def test_at_most_60_passwords_are_opened_concurrently_or_later(ports, alice):
    domain = make_domain(owner=alice)
    shown, copied = make_credential(domain), make_credential(domain)
    person = Visitor(ports, OWNER).signed_in_as(alice)

    def open_one(number):
        return person.post(smtp_url(*((shown, "reveal") if number % 2 else (copied, "copy"))))

    with ThreadPoolExecutor(8) as at_once:
        statuses = [status for status, _page in at_once.map(open_one, range(80))]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) == Event.objects.filter(tag__startswith="credential.password_").count() <= 60
    status, page = person.post(smtp_url(copied, "copy"))
    assert status == 429 and "60 passwords within 10 minutes" in page


def test_codes_of_a_sign_in_are_taken_and_counted_at_both_nodes(ports, alice):
    make_totp(alice, seed := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXQ")
    form = {"login": alice.email, "password": PASSWORD}
    # Redis still counts the sign-ins of another test.
    guesser, owner = Visitor(ports, "198.51.100.99"), Visitor(ports, OWNER)
    for visitor in (guesser, owner):
        _page, cookies = visitor._ask(
            "POST", "/login/", urlencode(form | {"csrfmiddlewaretoken": visitor.token})
        )
        visitor.headers["Cookie"] += f"; {cookies}"
    path = reverse("mfa_authenticate")
    said = [guesser.post(path, code="000000")[1] for _ in range(7)]
    assert ["Too many" in page for page in said] == [False] * 5 + [True] * 2
    assert owner.post(path, code=code_of(seed))[0] == 302


def test_wrong_hand_over_links_are_counted_at_both_nodes(ports):
    visitor = Visitor(ports, GUESSER)
    statuses = [visitor.post(reverse("hand_over", args=["no-such-key"]))[0] for _ in range(32)]
    assert statuses == [410] * 30 + [429] * 2


def test_confirmations_and_invitations_are_counted_at_both_nodes(ports, alice):
    person = Visitor(ports, OWNER).signed_in_as(alice)
    said = [person.post(reverse("account_reauthenticate"), password="wrong-guess")[1] for _ in range(7)]
    assert ["Too many" in page for page in said] == [False] * 5 + [True] * 2
    invitation = make_invitation(make_domain(owner=alice), by=alice)
    resend = reverse("domains:resend", args=[invitation.domain.name, invitation.public_id])
    assert [person.post(resend)[0] for _ in range(11)] == [200] * 10 + [429]  # the page with the link
