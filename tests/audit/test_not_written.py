"""An act whose event can't be written does not happen: nothing changes, nothing is shown, 503."""

import pytest

from accounts.models import User
from credentials.models import Credential
from credentials.outcome import Outcome
from credentials.passwords import PATTERN
from domains.models import Domain
from tests.audit.tampering import no_event_can_be_written
from tests.factories import make_invitation, make_user, password_of
from tests.http import sign_in, smtp_url, text
from tests.rows import kept

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SCRIPT = {"Accept": "text/plain"}
KEY = "6f1c5a34-0000-4000-8000-000000000001"
OF_CREDENTIAL = {
    "reset": {},
    "delete": {},
    "label": {"label": "Shop"},
    "networks": {"networks": "10.0.0.0/8"},
    "reveal": {},
    "copy": {},
    "hand_over": {"valid_for": "7d"},
}
SETTINGS = "/domains/sl.example.com/settings/"
OF_DOMAIN = {
    "smtp/add/": {"key": KEY},
    "name/": {"title": "Shop"},
    "delete/": {"name": "sl.example.com"},
    "transfer/": {"member": "{bob}"},
    "members/invite/": {"emails": "new@example.org", "role": "viewer"},
    "members/{bob}/role/": {"role": "manager"},
    "members/{bob}/remove/": {},
    "members/invitations/{invited}/resend/": {},
    "members/invitations/{invited}/revoke/": {},
}


@pytest.fixture
def browser(as_alice):
    as_alice.raise_request_exception = False
    return as_alice


def assert_refused(client, url, fields, headers=None):
    """Post it while no event can be written, check that nothing changed, and return the response."""
    before = kept()
    with no_event_can_be_written():
        response = client.post(url, fields, headers=headers)
    assert kept() == before
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "No partial changes were saved" in text(response) and not PATTERN.search(text(response))
    return response


@pytest.mark.parametrize("headers", [{}, HTMX, SCRIPT])
@pytest.mark.parametrize("act", OF_CREDENTIAL)
def test_act_on_credential_without_event_is_undone(browser, credential, act, headers):
    response = assert_refused(browser, smtp_url(credential, act), OF_CREDENTIAL[act], headers)
    assert password_of(credential) not in text(response)
    assert text(response).startswith("<!doctype html>" if not headers else "The server can't reach its data")
    assert browser.post(smtp_url(credential, act), OF_CREDENTIAL[act]).status_code in (200, 302)


@pytest.mark.parametrize("path", OF_DOMAIN)
def test_act_on_domain_or_member_without_event_is_undone(browser, domain, bob, path):
    names = {
        "bob": domain.memberships.get(user=bob).public_id,
        "invited": make_invitation(domain, "invited@example.org").public_id,
    }
    fields = {name: value.format(**names) for name, value in OF_DOMAIN[path].items()}
    assert_refused(browser, SETTINGS + path.format(**names), fields)


def test_adding_domain_without_event_is_undone(browser):
    assert_refused(browser, "/domains/add/", {"name": "new-one.com"})


@pytest.mark.parametrize("act", ["suspend", "remove"])
def test_act_of_support_without_event_is_undone(browser, credential, act):
    root = make_user("root@support.example", is_staff=True, is_superuser=True)
    sign_in(browser, root)
    fields = {"action": act, "_selected_action": [credential.pk], "reason": "asked"}
    assert_refused(browser, "/admin/credentials/credential/", fields)


def test_smtp_login_works_without_events(credential):
    with no_event_can_be_written():
        login = Credential.objects.authenticate(credential.username, password_of(credential))
    assert login.outcome is Outcome.ACCEPTED


def test_pages_and_sign_in_work_without_events(client, domain, alice):
    User.objects.filter(pk=alice.pk).update(name="Alice")
    with no_event_can_be_written():
        fields = {"login": alice.email, "password": "correct-horse-battery"}
        assert client.post("/login/", fields).status_code == 302
        assert client.get(smtp_url(domain)).status_code == 200
        assert client.get("/domains/sl.example.com/activity/").status_code == 200
    assert Domain.objects.count() == 1
