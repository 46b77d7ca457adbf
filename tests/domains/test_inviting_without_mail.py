"""On a server that sends no mail, owners get the links of invitations to pass on, once."""

import re
from html import unescape

import pytest
from django.test import Client

from audit.models import Event
from domains.models import Invitation
from tests.domains.inviting import HTMX, URL, invite
from tests.http import text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
MADE = "Invitation is made"
SAID = "This server sends no mail: give them this link."
JOIN = {"name": "", "password1": "tide-otter-lamp-94", "password2": "tide-otter-lamp-94"}


@pytest.fixture(autouse=True, params=["console", "dummy", "filebased"])
def silent(request, settings):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{request.param}.EmailBackend"


def links_in(response) -> list[str]:
    found = re.findall(r"<code>http://127\.0\.0\.1:8000(/invitations/key/[^<]+)</code>", text(response))
    return [unescape(link) for link in found]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_invite_shows_the_link_once_and_says_why(as_alice, domain, headers):
    asked = text(as_alice.get(f"{URL}invite/", headers=headers))
    assert "You get a link for each person to pass on" in asked and "gets an e-mail" not in asked
    response = invite(as_alice, "new@example.org", headers=headers)
    assert MADE in text(response) and SAID in text(response) and "sent." not in text(response)
    assert ("no-store" in response["Cache-Control"]) and response.status_code == 200
    assert ('<div id="members" hx-swap-oob="true">' in text(response)) is bool(headers)
    (link,) = links_in(response)
    assert text(response).count("/invitations/key/") == 2  # as text, and for the copy button
    assert "/invitations/key/" not in text(as_alice.get(URL))
    visitor = Client()
    assert "new@example.org" in text(visitor.get(link))
    assert visitor.post(f"{link}join/", JOIN).status_code == 302
    assert domain.memberships.filter(user__email="new@example.org", role="viewer").exists()


def test_each_person_gets_a_link_of_their_own(as_alice, domain):
    response = invite(as_alice, "a@x.org, b@x.org")
    assert "Invitations are made" in text(response) and "give each person their link." in text(response)
    first, second = links_in(response)
    assert first != second
    assert "a@x.org" in text(Client().get(first)) and "b@x.org" in text(Client().get(second))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_resend_shows_the_new_link(as_alice, domain, headers):
    (old,) = links_in(invite(as_alice))
    path = f"{URL}invitations/{Invitation.objects.get().public_id}/resend/"
    assert "You get a new link to pass on to" in text(as_alice.get(path, headers=headers))
    response = as_alice.post(path, headers=headers)
    (new,) = links_in(response)
    assert SAID in text(response) and "Invitation resent" not in text(response)
    assert Client().get(old).status_code == 410 and Client().get(new).status_code == 200


def test_activity_says_that_the_link_was_shown_and_not_the_link(as_alice, domain):
    invite(as_alice)
    said = text(as_alice.get("/domains/sl.example.com/activity/"))
    assert "invited new@example.org as viewer and got the link to pass on, as this server sends no mail" in said
    assert "/invitations/" not in said
    event = Event.objects.get(tag="member.invited")
    assert event.data == {"member": "new@example.org", "role": "viewer", "link_shown": True}


@pytest.mark.parametrize("emails", ["bob@example.com", "a@b"])
def test_refused_invitation_shows_no_link(as_alice, domain, bob, emails):
    response = invite(as_alice, emails)
    assert response.status_code == 422 and links_in(response) == []
