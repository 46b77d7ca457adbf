"""Account pages: name, e-mail, sessions. Every page and e-mail of allauth has our template."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.template.loader import get_template
from django.test import Client
from django.urls import get_resolver

from accounts.adapter import EVENTS
from accounts.sessions.listing import browser
from audit.models import Event
from tests.accounts.codes import make_totp
from tests.factories import PASSWORD, make_user
from tests.http import delivered, sign_in, text
from tests.servers import ROOT, free_port

pytestmark = pytest.mark.django_db

NEW = "alice@new.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def mailed_link(number=-1):
    return re.search(r"http://127.0.0.1:8000(/account/confirm-email/\S+)", delivered()[number].body)[1]


def sign_in_by_form(**headers):
    client = Client()
    client.post("/login/", {"login": "alice@example.com", "password": PASSWORD}, **headers)
    return client


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


def test_name_is_changed(as_alice, alice):
    assert as_alice.post("/account/", {"name": " Zoë  "})["Location"] == "/account/"
    alice.refresh_from_db()
    assert alice.name == "Zoë"
    assert Event.objects.get().tag == "account.renamed"


@pytest.mark.parametrize("name", ["x" * 81, "a\x00b", "a\nb", "evil\u202egnp", "x" * 9999])
def test_bad_name_changes_nothing(as_alice, alice, name):
    response = as_alice.post("/account/", {"name": name})
    assert response.status_code == 422 and 'class="error"' in text(response)
    alice.refresh_from_db()
    assert alice.name == "Alice Archer"


def test_new_email_takes_effect_when_its_link_is_opened(as_alice, alice):
    page = text(as_alice.post("/account/email/", {"email": " Alice@NEW.example"}, follow=True))
    assert "Open the link" in page and NEW in page
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    (message,) = delivered()
    assert (message.to, message.subject) == ([NEW], "Confirm your e-mail")
    assert "Is alice@new.example your address?" in text(as_alice.get(mailed_link()))
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert as_alice.post(mailed_link())["Location"] == "/account/"
    alice.refresh_from_db()
    assert alice.email == NEW
    assert delivered()[-1].to == ["alice@example.com"]
    assert delivered()[-1].subject == "Your e-mail address was changed"
    changed = Event.objects.get(tag="account.email_changed")
    assert changed.data == {"from_email": "alice@example.com", "to_email": NEW}
    old, new = (
        Client().post("/login/", {"login": email, "password": PASSWORD}) for email in ("alice@example.com", NEW)
    )
    assert (old.status_code, new.status_code) == (200, 302)
    assert "no longer works" in text(as_alice.get(mailed_link(0)))


def test_email_change_link_works_for_no_other_user(as_alice, alice, bob):
    as_alice.post("/account/email/", {"email": NEW})
    assert Client().get(mailed_link())["Location"].startswith("/login/?next=")
    for method in ("get", "post"):
        answer = getattr(sign_in(Client(), bob), method)(mailed_link())
        assert answer.status_code == 403 and "another account" in text(answer)
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_cancelled_email_change_voids_its_link(as_alice, alice):
    as_alice.post("/account/email/", {"email": NEW})
    as_alice.post("/account/email/keep/")
    assert "no longer works" in text(as_alice.get(mailed_link()))
    assert Event.objects.get(tag="account.email_kept").data == {"to_email": NEW}
    as_alice.post("/account/email/", {"email": "other@new.example"})
    as_alice.post("/account/email/", {"email": "third@new.example"})
    assert "no longer works" in text(as_alice.get(mailed_link(1)))


def test_unconfirmed_address_resets_no_password(as_alice):
    as_alice.post("/account/email/", {"email": NEW})
    delivered().clear()
    Client().post("/account/password/reset/", {"email": NEW})
    assert delivered() == []


def test_email_change_to_another_users_address_is_refused_without_revealing_it(as_alice, alice, bob):
    page = text(as_alice.post("/account/email/", {"email": bob.email}, follow=True))
    assert f"we sent to {bob.email}" in page and delivered() == []
    as_alice.post("/account/email/", {"email": NEW})
    make_user(NEW)  # in the meantime
    assert "belongs to another account" in text(as_alice.post(mailed_link(), follow=True))
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert not EmailAddress.objects.filter(user=alice, email=NEW, verified=True).exists()


BAD = ["", "a@b.c\nBcc: x@y.z", "a@[127.0.0.1]", "x" * 65 + "@example.com", "a@b", "a\x00@example.com"]


@pytest.mark.parametrize("email", [*BAD, "x" * 9999 + "@example.com", "Alice@example.com"])
def test_bad_address_is_refused_beside_the_field(as_alice, email):
    response = as_alice.post("/account/email/", {"email": email})
    assert response.status_code == 422 and 'class="error"' in text(response)
    assert not EmailAddress.objects.filter(verified=False).exists() and delivered() == []


def test_viewing_account_pages_changes_nothing(as_alice, alice):
    before = list(EmailAddress.objects.values())
    for path in ("/account/", "/account/email/", "/account/sessions/", "/account/two-factor/"):
        assert as_alice.get(path).status_code == 200
    assert list(EmailAddress.objects.values()) == before and not Event.objects.exists()


def test_sessions_page_lists_browser_and_address(alice):
    sign_in_by_form(headers={"User-Agent": FIREFOX})
    here = sign_in_by_form(headers={"User-Agent": "curl/8.0"})
    page = text(here.get("/account/sessions/"))
    assert "Firefox on Linux" in page and "curl" in page and page.count("This session") == 1
    assert page.count("127.0.0.1") == 2


def test_signing_out_others_ends_listed_and_unlisted_sessions(alice, bob):
    listed, here, bobs = sign_in_by_form(), sign_in_by_form(), sign_in(Client(), bob)
    unlisted = sign_in(Client(), alice)
    assert here.post("/account/sessions/end/")["Location"] == "/account/sessions/"
    assert [is_signed_in(browser) for browser in (here, listed, unlisted, bobs)] == [True, False, False, True]
    page = text(here.get("/account/sessions/"))
    assert page.count("This session") == 1 and "Sign out others" not in page
    assert Event.objects.get().tag == "account.sessions_ended"
    assert is_signed_in(sign_in_by_form())


def test_signing_out_others_requires_a_recent_sign_in(client, alice):
    sign_in(client, alice, ago=timedelta(hours=1))
    other = sign_in_by_form()
    confirm = client.post("/account/sessions/end/")["Location"]
    assert is_signed_in(other)
    assert client.post(confirm, {"password": PASSWORD})["Location"] == "/account/sessions/"
    assert is_signed_in(client) and not is_signed_in(other)


def test_session_ended_by_a_new_password_is_not_listed(alice):
    other, here = sign_in_by_form(), sign_in_by_form()
    new = "a new long password"
    here.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert not is_signed_in(other)
    assert text(here.get("/account/sessions/")).count("127.0.0.1") == 1


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("", "Unknown browser"),
        ("<script>", "Unknown browser"),
    ],
)
def test_user_agent_is_shown_as_browser_and_system(agent, words):
    assert browser(agent) == words


def test_last_use_of_a_session_is_recorded_every_five_minutes(alice, settings, django_assert_num_queries):
    here = sign_in_by_form()
    session = here.session
    session["account_authentication_methods"][-1]["at"] -= 600
    session.save()
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    elsewhere = {"headers": {"X-Forwarded-For": "203.0.113.7"}}
    for queries in (4, 3, 3):  # session, user, domains; and the recorded use
        with django_assert_num_queries(queries):
            here.get("/domains/", **elsewhere)
    assert UserSession.objects.get().ip == "203.0.113.7"


def own_routes():
    """Every route of accounts/urls.py and allauth, with made-up arguments."""
    filled = {"key": "x", "pk": 1, "uidb36": "x", "name": "x.example"}
    found = {}
    for name, (forms, *_) in (
        (name, forms) for name, forms in get_resolver().reverse_dict.lists() if isinstance(name, str)
    ):
        path, parameters = forms[0][0]
        found[name] = "/" + path % {name: filled[name] for name in parameters}
    return found


STOCK = re.compile(r"allauth|Menu:|Security Key|Master key|<script>|style=")


@pytest.mark.parametrize("old", [False, True])
def test_every_allauth_page_has_our_template(alice, old):
    make_totp(alice)
    client = sign_in(Client(), alice, ago=timedelta(hours=old))
    pages = own_routes()
    assert len(pages) > 30
    for name, path in pages.items():
        if name == "account_logout":
            continue
        for method in ("get", "post"):
            for visitor in (client, Client()):
                response = getattr(visitor, method)(path)
                assert response.status_code in (200, 204, 302, 400, 403, 404, 405, 410, 422, 429), (
                    name,
                    method,
                )
                if response["Content-Type"].startswith("text/html") and response.content:
                    assert "· SendLayer</title>" in text(response), (name, method)
                    assert not STOCK.search(text(response)), (name, method)
        sign_in(client, alice, ago=timedelta(hours=old))


SENT = [*EVENTS, "account/email/email_confirmation", "account/email/email_confirmation_signup"]
SENT += ["account/email/account_already_exists", "account/email/password_reset_key"]


@pytest.mark.parametrize("prefix", SENT)
@pytest.mark.parametrize("part", ["subject", "message"])
def test_every_allauth_email_has_our_template(prefix, part):
    assert get_template(f"{prefix}_{part}.txt").origin.name.startswith(f"{ROOT}/templates/")


def test_act_is_kept_while_the_mail_server_is_away(as_alice, alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    new = "a new long password"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert as_alice.post("/account/password/", form).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(new)
    assert Event.objects.get().tag == "account.password_changed"
