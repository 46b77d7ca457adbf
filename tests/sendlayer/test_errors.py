"""Error pages: clear, plain, without internals."""

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError

from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db


def test_server_error_is_a_plain_page_and_leaks_nothing(as_alice, domain, monkeypatch):
    def break_down(*args, **kwargs):
        raise RuntimeError("sl_secret from inside")

    monkeypatch.setattr("credentials.views.tab.list_context", break_down)
    as_alice.raise_request_exception = False
    response = as_alice.get(smtp_url(domain))
    assert response.status_code == 500
    assert "Something went wrong" in text(response)
    assert "sl_secret" not in text(response)


@pytest.mark.parametrize("path", ["/nothing/", "/domains/nothing.example.com/"])
def test_404_page_has_a_way_back(as_alice, path):
    response = as_alice.get(path)
    assert response.status_code == 404
    assert 'href="/domains/"' in text(response)
    assert path not in text(response)


def test_403_page_says_who_can_change_that(client, bob, credential):
    client.force_login(bob)
    response = client.post(smtp_url(credential, "delete"))
    assert response.status_code == 403
    assert "An owner of the domain can change your role" in text(response)


def test_password_that_no_key_unseals_is_logged_for_the_operator(as_alice, credential):
    type(credential).objects.filter(pk=credential.pk).update(password_sealed="v1.gone.AAAA")
    response = as_alice.post(smtp_url(credential, "reveal"))
    assert response.status_code == 503
    assert f"<code>{response.headers['X-Request-ID']}</code>" in text(response)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("server closed the connection: sl_secret"), 503),
        (InterfaceError("connection already closed: sl_secret"), 503),
        (IntegrityError("sl_secret"), 500),
        (ProgrammingError("sl_secret"), 500),
    ],
)
def test_database_that_is_away_is_a_503_not_a_500(as_alice, domain, monkeypatch, error, status):
    def break_down(*args, **kwargs):
        raise error

    monkeypatch.setattr("credentials.views.tab.list_context", break_down)
    as_alice.raise_request_exception = False
    response = as_alice.get(smtp_url(domain))
    assert response.status_code == status and "sl_secret" not in text(response)
    assert ("Try again in a moment" in text(response)) == (status == 503) == ("Retry-After" in response)
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "text/plain"}])
def test_scripts_get_a_503_as_text(as_alice, credential, monkeypatch, headers):
    def break_down(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("credentials.models.Credential.reveal", break_down)
    as_alice.raise_request_exception = False
    response = as_alice.post(smtp_url(credential, "copy"), headers=headers)
    assert (response.status_code, response["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert "before retrying." in text(response)


def test_session_that_can_not_be_read_is_a_503(as_alice, domain, monkeypatch):
    def break_down(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", break_down)
    as_alice.raise_request_exception = False
    assert as_alice.get(smtp_url(domain)).status_code == 503
