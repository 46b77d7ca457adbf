"""No secret reaches a log, an event or the subject of a mail, at any level."""

import io
import logging
import re
import threading

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from accounts.models import User
from audit.models import Event
from credentials.models import Credential
from credentials.usage.tally import Tally
from submission.reports.dovecot import NoReport, Reports
from tests.accounts.codes import code_of, wrong
from tests.domains.inviting import invite, link_in
from tests.factories import PASSWORD, password_of
from tests.http import delivered, sign_in, smtp_url
from tests.secret_forms import forms_of
from tests.submission.clients import auth_login, auth_plain, encoded, wait_until
from web.logs import Json, Lines

pytestmark = pytest.mark.django_db(transaction=True)

NEW_PASSWORD, WRONG = "a-brand-new-passphrase", "nearly-the-right-passphrase"
REPORTS_SECRET = "r" * 16 + "reports-secret-of-the-test"


@pytest.fixture
def logged(caplog):
    """Return a function that returns all DEBUG logs of this process in both formats, with SQL."""
    (handler,) = [own for own in logging.getLogger().handlers if type(own) is logging.StreamHandler]
    outputs = io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(output) for output in outputs]
    for added, formatter in zip(handlers, (Lines(), Json()), strict=True):
        added.filters, added.formatter = handler.filters, formatter
        logging.getLogger().addHandler(added)
    caplog.set_level(logging.DEBUG)
    connection.force_debug_cursor = True
    yield lambda: "\n".join(output.getvalue() for output in outputs)
    connection.force_debug_cursor = False
    for added in handlers:
        logging.getLogger().removeHandler(added)


def signs_in(client):
    for password in (WRONG, PASSWORD):
        client.post("/login/", {"login": "alice@example.com", "password": password})
    client.post("/login/", {"login": PASSWORD, "password": "alice@example.com"})
    yield from (PASSWORD, WRONG)


def forgets_the_password(client):
    client.post("/account/password/reset/", {"email": "bob@example.com"})
    link = re.search(r"http://127.0.0.1:8000(/account/password/reset/key/(\S+?)/)", delivered()[-1].body)
    client.get(link[1] + "nothing/")  # refused, and so logged
    form = client.get(link[1])["Location"]
    client.get(link[1])
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert User.objects.get(email="bob@example.com").check_password(NEW_PASSWORD)
    yield from (NEW_PASSWORD, link[2])


def is_invited(client):
    link = link_in((invite(client), delivered())[1][-1])
    guest = Client()
    guest.get(link)
    guest.get(f"{link}accept/")  # refused, and so logged
    guest.post(f"{link}join/", {"name": "Nina", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert User.objects.filter(email="new@example.org").exists()
    yield link.split("/")[-2]


def sets_up_two_factor(client):
    page = client.get("/account/two-factor/totp/activate/").content.decode()
    secret = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)[1]
    for code in (wrong(secret), code_of(secret)):
        client.post("/account/two-factor/totp/activate/", {"code": code})
    assert client.get("/account/two-factor/totp/deactivate/").status_code == 200
    yield secret


def works_with_a_credential(client, monkeypatch):
    """Add, show, copy and reset, each also with a failure in between."""

    def fail(*args, **kwargs):
        raise RuntimeError("injected")

    domain_page = "/domains/sl.example.com/settings/smtp/"
    for target in (
        None,
        "audit.record",
        "vault.cipher.seal",
        "vault.cipher.open",
    ):
        with monkeypatch.context() as patch:
            if target:
                patch.setattr(target, fail)
            page = client.get(domain_page).content.decode()
            key = re.search(r'id="issue-key" value="([^"]+)"', page)[1]
            client.post(f"{domain_page}add/", {"key": key})
            credential = Credential.objects.latest("pk")
            before = credential.verifier
            for act in ("reveal", "copy"):
                client.post(smtp_url(credential, act))
                client.post(smtp_url(credential, act), headers={"Accept": "text/plain"})
            client.post(smtp_url(credential, "reset"), {"seen": credential.password_changed_at.isoformat()})
        yield password_of(credential)
        yield before
    client.post(smtp_url(credential, "delete"), {"sure": "on"})


def hands_over(client, visitor, credential):
    response = client.post(smtp_url(credential, "hand_over"), {"valid_for": "7d"})
    link, key = re.search(r"(/hand-over/key/([\w-]+)/)<", response.content.decode()).groups()
    visitor.put(link)  # refused, and so logged
    visitor.get(link)
    assert password_of(credential) in visitor.post(link).content.decode()
    assert visitor.post(link).status_code == 410
    yield key


def logs_in_by_smtp(listener, credential):
    password = password_of(credential)
    for secret in (password, WRONG):
        auth_plain(listener.secure(), credential.username, secret)
        auth_login(listener.secure(), credential.username, secret)
        listener.secure().docmd("AUTH", f"PLAIN {encoded('', credential.username, secret)} {secret}")
    auth_login(listener.secure(), password, credential.username)  # pasted into the wrong field
    yield password


def checks_it(client, credential, listener, settings):
    settings.SMTP_HOST, settings.SMTP_PORT, settings.VAR_DIR = "127.0.0.1", listener.port, listener.var_dir
    client.post(check_url(credential), {"sends": "on"})
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "livecheck"], 15)
    yield password_of(credential)


def check_url(credential):
    return f"/domains/{credential.domain.name}/settings/smtp/{credential.username}/check/"


def reports_a_login(credential):
    tally, digest = Tally(), "d1" * 31
    reports = Reports(REPORTS_SECRET, tally)
    login = '{"login": "%s", "session": "x.previous", "remote": "127.0.0.1", "success": false, "pwhash": "%s"%s'
    for secret, end in ((REPORTS_SECRET, "}"), (REPORTS_SECRET[1:], "}"), (REPORTS_SECRET, "")):
        try:
            body = login % (credential.username, digest, end)
            reports.count(b"POST", f"Bearer {secret}".encode(), body.encode())
        except NoReport:
            pass
    tally.write()
    yield from (REPORTS_SECRET, digest)


def fails_to_judge(credential, monkeypatch):
    def fail(*args):
        raise ValueError(*args)

    with monkeypatch.context() as patch:
        patch.setattr("credentials.verifier.check", fail)
        with pytest.raises(ValueError):
            Credential.objects.authenticate(credential.username, password_of(credential))
    yield password_of(credential)


def test_no_secret_of_any_story_is_logged(logged, alice, bob, credential, listener, settings, monkeypatch):
    client = sign_in(Client(raise_request_exception=False), alice)
    visitor = Client(raise_request_exception=False)
    secrets = {
        *signs_in(visitor),
        *forgets_the_password(visitor),
        *is_invited(client),
        *sets_up_two_factor(client),
        *works_with_a_credential(client, monkeypatch),
        *hands_over(client, visitor, credential),
        *logs_in_by_smtp(listener, credential),
        *checks_it(client, credential, listener, settings),
        *reports_a_login(credential),
        *fails_to_judge(credential, monkeypatch),
        client.session.session_key,
        settings.SECRET_KEY,
        settings.CREDENTIAL_KEYS.partition(":")[2],
    }
    assert len(secrets) >= 16 and all(len(secret) >= 8 for secret in secrets)
    places = {
        "the log": logged(),
        "the listener's log": listener.log.read_text(),
        "the events": repr(list(Event.objects.values())),
        "the subjects": repr([letter.subject for letter in [*delivered(), *mail.outbox]]),
    }
    # Each was really looked at.
    assert "RuntimeError: injected" in places["the log"] and "UPDATE" in places["the log"]
    assert credential.username in places["the listener's log"] and credential.username in places["the events"]
    assert "sl.example.com" in places["the subjects"]
    found = [
        (place, secret)
        for place, content in places.items()
        for secret in secrets
        if any(form in content.encode() for form in forms_of(secret))
    ]
    assert found == []
