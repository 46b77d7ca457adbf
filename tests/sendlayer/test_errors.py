"""The pages for what goes wrong: clear, plain, and without anything from inside."""

import pytest

from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db


def test_a_fault_of_ours_is_a_plain_page_and_leaks_nothing(as_alice, domain, monkeypatch):
    def break_down(*args, **kwargs):
        raise RuntimeError("sl_secret from inside")

    monkeypatch.setattr("credentials.views.list_context", break_down)
    as_alice.raise_request_exception = False
    response = as_alice.get(smtp_url(domain))
    assert response.status_code == 500
    assert "Something went wrong" in text(response)
    assert "sl_secret" not in text(response)


@pytest.mark.parametrize("path", ["/nothing/", "/domains/nothing.example.com/"])
def test_what_is_not_there_has_a_way_back(as_alice, path):
    response = as_alice.get(path)
    assert response.status_code == 404
    assert 'href="/domains/"' in text(response)
    assert path not in text(response)


def test_what_one_may_not_do_says_who_can_change_that(client, bob, credential):
    client.force_login(bob)
    response = client.post(smtp_url(credential, "delete"))
    assert response.status_code == 403
    assert "An owner of the domain can change your role" in text(response)


def test_a_password_that_no_key_opens_is_a_fault_that_the_operator_can_find(as_alice, credential):
    type(credential).objects.filter(pk=credential.pk).update(password_sealed="v1.gone.AAAA")
    response = as_alice.post(smtp_url(credential, "reveal"))
    assert response.status_code == 503
    assert f"<code>{response.headers['X-Request-ID']}</code>" in text(response)
