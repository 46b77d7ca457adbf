"""Allowed networks: what can be entered, what is stored, who can set them, and what a row shows."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.utils.html import escape

from audit.models import Event
from credentials import networks
from credentials.models import Credential
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.http import smtp_url, text

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
FIFTY = [f"10.0.{number}.0/24" for number in range(50)]

GOOD = {
    "": "",
    " \r\n , \t": "",
    "192.0.2.7": "192.0.2.7",
    "192.0.2.7/32": "192.0.2.7",
    "192.0.2.0/24": "192.0.2.0/24",
    "0.0.0.0/0": "0.0.0.0/0",
    "2001:DB8:0:0::1": "2001:db8::1",
    "2001:db8::/32": "2001:db8::/32",
    "::1/128": "::1",
    "192.0.2.0/24\r\n192.0.2.0/24, 192.0.2.0/255.255.255.0": "192.0.2.0/24",
    "192.0.2.1,192.0.2.2 192.0.2.3\n\t::1": "192.0.2.1,192.0.2.2,192.0.2.3,::1",
    "\n".join(FIFTY): ",".join(FIFTY),
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::]/32": "2001:db8::/32",
    "192.0.2.1 # office": "192.0.2.1",
    "# sites\r\n192.0.2.1#a, 192.0.2.9\r\n192.0.2.2": "192.0.2.1,192.0.2.2",
    "192.0.2.1;192.0.2.2; ::1": "192.0.2.1,192.0.2.2,::1",
    "192.0.2.*": "192.0.2.0/24",
    "10.1.*.*": "10.1.0.0/16",
    "192.0.2.0-192.0.2.255": "192.0.2.0/24",
    "192.0.2.1 - 192.0.2.2; 192.0.2.8-9": "192.0.2.1,192.0.2.2,192.0.2.8/31",
    "2001:db8:: \u2013 2001:db8::1": "2001:db8::/127",
    "::ffff:192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.0/120": "192.0.2.0/24",
    "::ffff:192.0.2.0-::ffff:192.0.2.255": "192.0.2.0/24",
}
BAD = {
    "192.0.2.7/24": "enter 192.0.2.0/24 for the whole network, or 192.0.2.7 for this address alone",
    "2001:db8::1/32": "enter 2001:db8::/32 for the whole network, or 2001:db8::1 for this address alone",
    "192.0.2.0/33": "“192.0.2.0/33” is not a network",
    "::/129": "is not a network",
    "fe80::1%eth0": "leave out the % and everything after it",
    "192.0.2.9-192.0.2.1": "“192.0.2.9-192.0.2.1” is not a network",
    "192.0.2.1-::1": "is not a network",
    "192.0.2.1-": "“192.0.2.1-” is not a network",
    "192.0.2.1:25": "“192.0.2.1:25” is not a network",
    "[2001:db8::1]:25": "“[2001:db8::1]:25” is not a network",
    "*": "“*” is not a network",
    "300.0.2.*": "“300.0.2.*” is not a network",
    "#192.0.2.1": "Every entry is a comment.",
    "10.0.0.1-10.255.255.254\n2001:db8::1-2001:db8::ffff:ffff:ffff": "List at most 50 networks",
    "mail.example.com": "“mail.example.com” is not a network",
    "192.0.2": "is not a network",
    "010.0.0.1": "is not a network",
    "3232235777": "is not a network",
    "١٩٢.0.2.1": "is not a network",
    "192.0.2.1\x07": "“192.0.2.1�” contains an invisible character",
    "192.0.2.1\u200b": "“192.0.2.1�” contains an invisible character",
    "\n".join([*FIFTY, "192.0.2.7"]): "List at most 50 networks (you listed 51).",
    "x" * 10_000: "is not a network",
    "x" * 10_001: "List at most 50 networks: this text is too long",
    "<b>192.0.2.1</b>": "is not a network",
}


def url(credential):
    return smtp_url(credential, "networks")


@pytest.mark.parametrize(("typed", "stored"), GOOD.items())
def test_networks_are_stored_in_their_shortest_form(typed, stored):
    assert networks.clean(typed) == stored
    assert networks.clean(stored) == stored
    assert ",".join(networks.listed(stored)) == stored


@pytest.mark.parametrize(("typed", "said"), BAD.items())
def test_invalid_network_is_named_with_what_to_enter_instead(typed, said):
    with pytest.raises(ValidationError) as error:
        networks.clean(typed)
    assert said in " ".join(error.value.messages)


def test_each_bad_entry_has_a_message_of_its_own():
    with pytest.raises(ValidationError) as error:
        networks.clean("192.0.2.1 x 192.0.2.0/33\n192.0.2.7/24")
    assert len(error.value.messages) == 3


def test_fifty_of_the_longest_fit_the_column():
    longest = [
        f"{number:04x}:{'ffff:' * 6}ff80/121" for number in range(0x1000, 0x1000 + networks.MAX_NETWORKS)
    ]
    assert len(networks.clean("\n".join(longest))) <= networks.MAX_STORED


@pytest.mark.parametrize(
    ("allowed", "ip", "is_allowed"),
    [
        ("", "203.0.113.7", True),
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.0/24", "::1", False),
        ("192.0.2.0/24,2001:db8::/32", "2001:db8:1::1", True),
        ("::/0", "203.0.113.7", False),
        ("203.0.113.7", "203.0.113.7", True),
    ],
)
def test_an_address_is_allowed_when_it_lies_in_one_of_them(allowed, ip, is_allowed):
    assert networks.allows(allowed, ip) is is_allowed


@pytest.mark.parametrize(("ip", "outcome"), [("192.0.2.9", "ACCEPTED"), ("192.0.3.9", "NETWORK_NOT_ALLOWED")])
def test_a_login_is_judged_by_where_it_comes_from(as_alice, credential, ip, outcome):
    as_alice.post(url(credential), {"networks": "192.0.2.0/24"})
    password = password_of(credential)
    login = Credential.objects.authenticate(credential.username, password, ip=ip)
    assert login.outcome is Outcome[outcome]


def test_networks_are_saved_and_the_event_has_old_and_new(as_alice, alice, credential):
    typed = {"networks": "192.0.2.0/24\r\n2001:db8::/32"}
    response = as_alice.post(url(credential), typed, headers=HTMX)
    assert "Allowed networks saved." in text(response)
    assert re.search(rf'<tr id="cred-{credential.username}"', text(response))
    credential.refresh_from_db()
    assert credential.allowed_networks == "192.0.2.0/24,2001:db8::/32"
    event = Event.objects.latest("pk")
    assert (event.tag, event.actor, event.credential) == (
        "credential.networks_set",
        alice,
        credential.username,
    )
    as_alice.post(url(credential), {"networks": ""})
    activity = text(as_alice.get("/domains/sl.example.com/activity/"))
    assert "to 192.0.2.0/24, 2001:db8::/32" in activity
    assert "to any address" in activity


def test_saving_networks_without_htmx_leads_to_their_part_of_the_page(as_alice, credential):
    response = as_alice.post(url(credential) + "?on=page", {"networks": "192.0.2.7"}, follow=True)
    assert response.redirect_chain == [(smtp_url(credential, "page") + "#limits", 302)]
    assert "Allowed networks saved." in text(response)


def test_saving_the_same_networks_leaves_no_event(as_alice, credential):
    credential.set_networks("192.0.2.7", by=SYSTEM)
    before = Event.objects.count()
    as_alice.post(url(credential), {"networks": " 192.0.2.7/32\r\n"})
    assert Event.objects.count() == before


def test_networks_field_has_one_network_per_line(as_alice, credential):
    credential.set_networks("192.0.2.0/24,::1", by=SYSTEM)
    page = text(as_alice.get(url(credential), follow=True))
    assert re.search(r"<textarea[^>]*>\s*192\.0\.2\.0/24\n::1</textarea>", page)


@pytest.mark.one_database
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize(("typed", "said"), BAD.items())
def test_networks_error_is_at_the_field_which_keeps_the_input(as_alice, credential, headers, typed, said):
    credential.set_networks("198.51.100.1", by=SYSTEM)
    before = Event.objects.count()
    response = as_alice.post(url(credential), {"networks": typed}, headers=headers)
    assert response.status_code == 422
    field = re.search(r'<div class="field has-error">.*?<div class="help"', text(response), re.DOTALL)[0]
    assert escape(said) in field
    assert escape(typed) in field.partition("</textarea>")[0]
    credential.refresh_from_db()
    assert credential.allowed_networks == "198.51.100.1"
    assert Event.objects.count() == before


def test_networks_error_over_htmx_is_on_the_page(as_alice, credential):
    response = as_alice.post(url(credential), {"networks": "x"}, headers=HTMX)
    assert (response["HX-Retarget"], response["HX-Reswap"]) == (f"#cred-{credential.username}", "outerHTML")


def test_null_character_in_networks_is_an_error(as_alice, credential):
    response = as_alice.post(url(credential), {"networks": "192.0.2.1\x00"})
    assert response.status_code == 422
    assert "Remove the invisible characters, then save again." in text(response)


def test_networks_input_is_shown_as_text(as_alice, credential):
    page = text(as_alice.post(url(credential), {"networks": "</textarea><img/src=x>"}))
    assert "<img" not in page and "&lt;img/src=x&gt;" in page


def test_viewer_sees_networks_and_can_not_set_them(client, bob, credential):
    credential.set_networks("192.0.2.0/24", by=SYSTEM)
    client.force_login(bob)
    page = text(client.get(smtp_url(credential, "page"), {"edit": "networks"}))
    assert "<span>Allowed from: 192.0.2.0/24</span>" in page
    assert "networks/" not in page and "edit=" not in page
    for method in (client.get, client.post):
        assert method(url(credential), {"networks": ""}).status_code == 403
    credential.refresh_from_db()
    assert credential.allowed_networks == "192.0.2.0/24"


def test_networks_of_another_domains_credential_are_not_found(as_alice, credential):
    theirs = make_credential(make_domain("other.example.com"))
    path = url(credential).replace(credential.username, theirs.username)
    assert as_alice.post(path, {"networks": "192.0.2.1"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.allowed_networks == ""


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("", "any address"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1,192.0.2.2", "192.0.2.1, 192.0.2.2"),
        ("192.0.2.1,192.0.2.2,::1", "192.0.2.1, 192.0.2.2 and 1 more"),
        (",".join(FIFTY), "10.0.0.0/24, 10.0.1.0/24 and 48 more"),
        ("<b>,@USERNAME@", "&lt;b&gt;, @USERNAME@"),  # never stored, but what if
    ],
)
def test_page_shows_at_most_two_networks(as_alice, domain, stored, shown):
    credential = make_credential(domain, allowed_networks=stored)
    page = text(as_alice.get(smtp_url(credential, "page")))
    assert f"<span>Allowed from: {shown}</span>" in page
