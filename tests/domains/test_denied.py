"""Denied requests are logged with their user."""

import pytest

from tests.http import sign_in, smtp_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def denied(caplog):
    return lambda: [record.getMessage() for record in caplog.records if record.name == "domains.access"]


def test_denied_requests_of_viewer_and_stranger_are_logged_with_user(client, bob, carol, credential, denied):
    assert sign_in(client, bob).post(smtp_url(credential, "reveal")).status_code == 403
    assert sign_in(client, carol).post(smtp_url(credential, "reveal")).status_code == 404
    assert denied() == [
        f"Denied: user {bob.pk}, viewer of sl.example.com, lacks REVEAL_PASSWORDS",
        f"Denied: user {carol.pk} is not a member of sl.example.com",
    ]


def test_allowed_requests_are_not_logged(client, alice, credential, denied):
    assert sign_in(client, alice).post(smtp_url(credential, "reveal")).status_code == 200
    assert denied() == []
