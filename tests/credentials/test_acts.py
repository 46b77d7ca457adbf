"""Add, Show, Copy, Reset, Delete, Label and Networks over HTTP: permissions, harmless GET, effects of POST."""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from audit.models import Event
from credentials.models import Credential
from credentials.outcome import Outcome
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.http import headers_of, smtp_url, text, without_tokens

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
PLAIN = {"Accept": "text/plain"}
ACTS = ["reveal", "copy", "reset", "delete", "label", "networks", "suspend", "resume", "expiry", "revoke_old"]
STRANGE = "0123456789ABCDEF0123456789ABCDEF"


def state():
    return list(Credential.objects.values()), Event.objects.count()


def accepted(credential, password):
    return Credential.objects.authenticate(credential.username, password).outcome is Outcome.ACCEPTED


@pytest.mark.one_database
@pytest.mark.parametrize("act", ACTS)
def test_acts_are_not_found_by_strangers(client, carol, credential, act):
    client.force_login(carol)
    before = state()
    for method in (client.get, client.post):
        response = method(smtp_url(credential, act))
        assert response.status_code == (405 if (act, method) == ("copy", client.get) else 404)
    assert state() == before


@pytest.mark.one_database
@pytest.mark.parametrize("act", ACTS)
def test_acts_are_forbidden_to_viewers(client, bob, credential, act):
    client.force_login(bob)
    before = state()
    assert client.post(smtp_url(credential, act)).status_code == 403
    assert state() == before


@pytest.mark.one_database
def test_add_is_forbidden_to_viewers(client, bob, domain):
    client.force_login(bob)
    assert client.post(smtp_url(domain, "add"), {"key": uuid4()}).status_code == 403
    assert not Credential.objects.exists()


@pytest.mark.one_database
@pytest.mark.parametrize("act", ACTS)
def test_acts_send_anonymous_users_to_the_sign_in(client, credential, act):
    before = state()
    response = client.post(smtp_url(credential, act))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")
    assert state() == before


@pytest.mark.one_database
@pytest.mark.parametrize("act", ACTS)
def test_get_of_an_act_changes_nothing_and_shows_no_password(as_alice, credential, act):
    before, password = state(), password_of(credential)
    response = as_alice.get(smtp_url(credential, act), follow=True)
    assert response.status_code == (405 if act == "copy" else 200)
    assert password not in text(response)
    assert state() == before


@pytest.mark.one_database
@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_acts_refuse_other_methods(as_alice, credential, method):
    before = state()
    for act in ACTS:
        assert getattr(as_alice, method)(smtp_url(credential, act)).status_code == 405
    assert state() == before


@pytest.mark.one_database
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("headers", [{}, HTMX, PLAIN], ids=["page", "htmx", "script"])
def test_credential_of_another_domain_is_as_absent_as_none(as_alice, domain, act, headers):
    theirs = make_credential(make_domain("other.example.com"))
    before = state()
    url = smtp_url(make_credential(domain), act).replace
    mine = Credential.objects.get(domain=domain)
    before = state()
    answers = [
        as_alice.post(url(mine.username, username), headers=headers) for username in (theirs.username, STRANGE)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert without_tokens(answers[0]) == without_tokens(answers[1])
    assert state() == before


@pytest.mark.one_database
def test_domain_of_a_stranger_is_as_absent_as_none(client, carol, domain):
    client.force_login(carol)
    answers = [client.get(f"/domains/{name}/settings/smtp/") for name in (domain.name, "no.example.org")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert headers_of(answers[0]) == headers_of(answers[1])


def test_add_creates_one_credential_and_reports_it(as_alice, alice, domain):
    response = as_alice.post(smtp_url(domain, "add"), {"key": uuid4()}, follow=True)
    credential = Credential.objects.get()
    assert "New SMTP user is added." in text(response)
    assert re.search(rf'id="cred-{credential.username}" class="is-new"', text(response))
    assert credential.created_by == alice
    assert Event.objects.filter(tag="credential.created", actor=alice, ip="127.0.0.1").count() == 1


def test_double_click_on_add_creates_one_credential(as_alice, domain):
    key = uuid4()
    for headers in ({}, HTMX, {}):
        as_alice.post(smtp_url(domain, "add"), {"key": key}, headers=headers)
    assert Credential.objects.count() == 1


def test_each_response_to_add_has_a_new_key(as_alice, domain):
    first = as_alice.post(smtp_url(domain, "add"), {"key": uuid4()}, headers=HTMX)
    key = re.search(r'id="issue-key" value="([^"]+)"', text(first))[1]
    as_alice.post(smtp_url(domain, "add"), {"key": key}, headers=HTMX)
    assert Credential.objects.count() == 2


def test_add_with_htmx_shows_the_last_page(as_alice, domain):
    for _ in range(25):
        make_credential(domain)
    response = as_alice.post(smtp_url(domain, "add"), {"key": uuid4()}, headers=HTMX)
    assert text(response).count("<tr id=") == 1
    assert response["HX-Push-Url"] == smtp_url(domain) + "?page=2"
    assert "New SMTP user is added." in text(response)


@pytest.mark.parametrize("key", ["", "x", "1' OR '1'='1"])
def test_add_without_a_valid_key_creates_none(as_alice, domain, key):
    assert as_alice.post(smtp_url(domain, "add"), {"key": key}, headers=HTMX).status_code == 422
    assert "out of date" in text(as_alice.post(smtp_url(domain, "add"), {"key": key}, follow=True))
    assert not Credential.objects.exists()


def test_add_to_a_domain_that_may_not_send_creates_none(as_alice, domain):
    Domain.objects.filter(pk=domain.pk).update(authorized_at=None)
    response = as_alice.post(smtp_url(domain, "add"), {"key": uuid4()}, follow=True)
    assert "Authorize the domain first" in text(response)
    assert not Credential.objects.exists()


@pytest.mark.parametrize(("act", "tag"), [("reveal", "password_shown"), ("copy", "password_copied")])
def test_reveal_returns_the_password_as_text_to_a_script_after_its_event(as_alice, alice, credential, act, tag):
    response = as_alice.post(smtp_url(credential, act), headers=PLAIN)
    assert text(response) == password_of(credential)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    event = Event.objects.latest("pk")
    assert (event.tag, event.actor, event.credential) == (f"credential.{tag}", alice, credential.username)


def test_reveal_without_a_script_shows_the_password_on_its_own_page(as_alice, credential):
    response = as_alice.post(smtp_url(credential, "reveal"))
    assert password_of(credential) in text(response)
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("act", ["reveal", "copy"])
def test_reveal_without_the_key_reports_it_and_leaks_nothing(as_alice, credential, act):
    Credential.objects.filter(pk=credential.pk).update(password_sealed="v1.gone.AAAA")
    response = as_alice.post(smtp_url(credential, act), headers=PLAIN)
    assert response.status_code == 503
    assert "CREDENTIAL_KEYS" in text(response)
    assert not Event.objects.filter(tag__startswith="credential.password").exists()


def test_reset_replaces_the_password(as_alice, credential):
    old = password_of(credential)
    asked = text(as_alice.get(smtp_url(credential, "reset"), headers=HTMX))
    assert "Reset SMTP Password" in asked
    assert "Are you sure you want to reset password for this SMTP user?" in asked
    seen = re.search(r'name="seen" value="([^"]+)"', asked)[1]
    response = as_alice.post(smtp_url(credential, "reset"), {"seen": seen}, headers=HTMX)
    assert "SMTP password is reset." in text(response)
    assert not accepted(credential, old)
    assert accepted(credential, password_of(credential))
    assert password_of(credential) not in text(response)


def test_reset_of_a_password_changed_since_is_refused(as_alice, credential):
    seen = credential.password_changed_at.isoformat()
    as_alice.post(smtp_url(credential, "reset"), {"seen": seen})
    new = password_of(credential)
    response = as_alice.post(smtp_url(credential, "reset"), {"seen": seen}, headers=HTMX)
    assert response.status_code == 409
    assert "Nothing was reset" in text(response)
    assert password_of(credential) == new


def test_reset_works_for_a_password_of_the_repeated_hour(as_alice, domain, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    twice = datetime(2025, 10, 26, 0, 30, 1, 123456, tzinfo=UTC)
    credential = make_credential(domain, password_changed_at=twice)
    asked = text(as_alice.get(smtp_url(credential, "reset"), headers=HTMX))
    seen = re.search(r'name="seen" value="([^"]+)"', asked)[1]
    assert as_alice.post(smtp_url(credential, "reset"), {"seen": seen}, headers=HTMX).status_code == 200


@pytest.mark.parametrize(
    "seen", ["x", "2026-99-99", "\x00", "9" * 5000, "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"]
)
def test_reset_with_a_mangled_form_changes_nothing(as_alice, credential, seen):
    before = password_of(credential)
    as_alice.post(smtp_url(credential, "reset"), {"seen": seen})
    assert password_of(credential) == before


def test_delete_removes_the_credential(as_alice, credential, domain):
    password = password_of(credential)
    asked = text(as_alice.get(smtp_url(credential, "delete")))
    assert "Delete SMTP User" in asked
    assert "Are you sure you want to delete this SMTP user?" in asked
    response = as_alice.post(smtp_url(credential, "delete"), follow=True)
    assert "SMTP user is deleted." in text(response)
    assert not accepted(credential, password)
    assert Event.objects.filter(tag="credential.deleted", credential=credential.username).count() == 1


def test_delete_stays_on_the_page_and_search_of_the_tab(as_alice, domain):
    made = [make_credential(domain, label="shop") for _ in range(27)]
    make_credential(domain, label="other")
    here = HTMX | {"HX-Current-URL": f"http://testserver{smtp_url(domain)}?page=2&q=shop"}
    response = as_alice.post(smtp_url(made[26], "delete"), headers=here)
    assert re.findall(r'id="cred-(\w+)"', text(response)) == [made[25].username]


@pytest.mark.parametrize("query", ["q=%00", "q=%FF", "page=%00", "page=x&q=" + "y" * 9000])
def test_acts_survive_a_mangled_current_url(as_alice, credential, query):
    here = HTMX | {"HX-Current-URL": f"http://testserver{smtp_url(credential.domain)}?{query}"}
    assert as_alice.post(smtp_url(credential, "delete"), headers=here).status_code == 200
    assert not Credential.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_act_on_a_deleted_credential_reports_it_and_removes_its_row(as_alice, credential, act):
    credential.remove(by=SYSTEM)
    response = as_alice.post(smtp_url(credential, act), headers=HTMX)
    assert response.status_code == 404
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#credentials", "outerHTML")
    assert credential.username not in text(response)
    assert "This SMTP user no longer exists." in text(response)


def test_acts_without_a_csrf_token_change_nothing_and_the_page_helps(alice, credential, domain):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    before = state()
    for url in [smtp_url(domain, "add"), *(smtp_url(credential, act) for act in ACTS)]:
        response = client.post(url)
        assert response.status_code == 403
        assert "reload the page and try again" in text(response)
    assert state() == before


def test_signed_out_htmx_request_sends_the_whole_page_to_the_sign_in(client, credential):
    response = client.post(smtp_url(credential, "reset"), headers=HTMX)
    assert response.status_code == 200
    act, page = smtp_url(credential, "reset"), smtp_url(credential.domain)
    after = f"/account/nothing-done/?{urlencode({'act': act, 'page': page})}"
    assert response["HX-Redirect"] == f"/login/?{urlencode({'next': after}, safe='/')}"
    response = client.get(smtp_url(credential, "reset"), headers=HTMX)
    assert response["HX-Redirect"] == f"/login/?next={page}"


@pytest.mark.parametrize(
    "path",
    [
        "/domains/sl.example.com/settings/smtp/%00/reset/",
        "/domains/sl.example.com%00/settings/smtp/",
        "/domains/%ff%fe/settings/smtp/",
        "/domains/%ed%a0%80/",
        "/domains/SL.example.com/",
        "/domains/sl.example.com/settings/smtp/0123456789abcdef0123456789abcdef/reset/",
        "/domains/sl.example.com/settings/smtp/-1/reset/",
        "/domains/" + "a." * 200 + "com/",
        "/.env",
        "/static/../sendlayer/settings.py",
    ],
)
def test_paths_without_a_valid_username_are_not_found(as_alice, domain, path):
    for method in (as_alice.get, as_alice.post):
        assert method(path).status_code == 404
