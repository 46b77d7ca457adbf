"""An act posted after the session ended: nothing is done, the sign-in says so, and the act is offered again."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.models import Session

from audit.models import Event
from credentials.models import Credential
from tests.factories import PASSWORD
from tests.http import sign_in, smtp_url, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SAID = "You were signed out before you confirmed. Nothing was done."
LIST = "/domains/sl.example.com/settings/smtp/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{LIST}?q=shop"}
REFERRED = {"Referer": f"http://testserver{LIST}?q=shop"}
PAGE = "/account/nothing-done/"


def links(page) -> dict:
    """What the page offers: text → address."""
    found = re.findall(r'<a class="btn[^"]*" href="([^"]*)">([^<]*)</a>', page)
    return {words: unescape(url) for url, words in found}


def signed_in_after(client, response, alice):
    """Sign in where a response leads to; return the page that comes then."""
    url = response.headers.get("HX-Redirect") or response["Location"]
    page = text(client.get(url))
    assert SAID in page
    follow = {
        "login": alice.email,
        "password": PASSWORD,
        "next": unescape(re.search(r'name="next" value="([^"]*)"', page)[1]),
    }
    wrong = client.post("/login/", follow | {"password": "wrong"})
    assert SAID in text(wrong)
    answer = client.post("/login/", follow)
    assert answer["Location"].startswith(PAGE)
    return text(client.get(answer["Location"]))


@pytest.mark.parametrize("headers", [HTMX, REFERRED], ids=["htmx", "page"])
@pytest.mark.parametrize("act", ["reset", "delete", "suspend", "networks", "expiry", "reveal"])
def test_act_is_not_done_and_offered_again_after_the_sign_in(client, alice, credential, act, headers):
    before = Credential.objects.values().get()
    response = client.post(smtp_url(credential, act), headers=headers)
    assert not Session.objects.exists()  # nothing is kept for somebody who may be anybody
    page = signed_in_after(client, response, alice)
    assert SAID in page
    assert links(page) == {"Try again": smtp_url(credential, act), "Go back": f"{LIST}?q=shop"}
    assert client.get(smtp_url(credential, act), follow=True).status_code == 200
    assert Credential.objects.values().get() == before
    assert not Event.objects.filter(credential=credential.username, actor__isnull=False).exists()


@pytest.mark.parametrize("headers", [HTMX, REFERRED], ids=["htmx", "page"])
def test_act_on_members_is_offered_again(client, alice, domain, headers):
    path = "/domains/sl.example.com/settings/members/invite/"
    response = client.post(path, {"emails": "max@example.org", "role": "viewer"}, headers=headers)
    assert links(signed_in_after(client, response, alice))["Try again"] == path


def test_act_without_a_question_leads_back_to_its_page(client, alice, credential):
    response = client.post(smtp_url(credential, "copy"), headers=REFERRED)
    assert links(signed_in_after(client, response, alice)) == {"Go back": f"{LIST}?q=shop"}


def test_session_that_ended_before_the_confirmation_offers_the_act_itself(client, alice, credential):
    sign_in(client, alice, ago=timedelta(hours=1))
    confirm = client.post(smtp_url(credential, "delete"))["Location"]
    Session.objects.all().delete()
    follow = {"password": PASSWORD, "next": smtp_url(credential, "delete")}
    page = signed_in_after(client, client.post(confirm, follow), alice)
    assert links(page) == {"Try again": smtp_url(credential, "delete"), "Go back": "/"}
    assert Credential.objects.exists()


@pytest.mark.parametrize(
    "path", ["/admin/domains/domain/", "/account/theme/", "/account/two-factor/totp/activate/"]
)
def test_other_posts_say_so_too(client, alice, path):
    assert links(signed_in_after(client, client.post(path), alice)) == {"Go back": "/"}


def test_page_that_is_opened_while_signed_out_says_nothing(client, credential):
    response = client.get(smtp_url(credential, "reset"))
    assert response["Location"] == f"/login/?next={smtp_url(credential, 'reset')}"
    assert SAID not in text(client.get(response["Location"]))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://[",
        "/no/such/page/",
        "x" * 5000,
        "/\x00",
        PAGE,
        "",
    ],
)
def test_forged_address_of_the_page_links_nowhere_else(client, alice, url):
    page = text(sign_in(client, alice).get(f"{PAGE}?{urlencode({'act': url, 'page': url})}"))
    ways = links(page)
    assert "Try again" not in ways and ways["Go back"] in ("/", "/no/such/page/")


@pytest.mark.parametrize(
    "referrer", ["https://evil.example/x", "http://[", "http://testserver:99/", "x" * 9000]
)
def test_foreign_referring_page_is_left_out(client, alice, credential, referrer):
    response = client.post(smtp_url(credential, "reset"), headers={"Referer": referrer})
    assert links(signed_in_after(client, response, alice))["Go back"] == "/"


def test_signing_out_twice_is_no_lost_act(client):
    assert SAID not in text(client.post("/logout/", follow=True))
