"""`manage.py make_owner`: for a domain without an owner who can make another one."""

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from domains.activity.sentences import sentence
from tests.factories import make_domain, make_user
from tests.http import delivered, sign_in, text

pytestmark = pytest.mark.django_db


def run(capsys, *arguments):
    call_command("make_owner", *arguments)
    return capsys.readouterr().out


@pytest.mark.parametrize("was", ["", "viewer", "manager"])
def test_make_owner_notifies_all_owners(capsys, client, domain, carol, alice, was):
    type(alice).objects.filter(pk=alice.pk).update(tell_members=False)  # notified all the same
    if was:
        domain.memberships.create(user=carol, role=was)
    assert "carol@example.com is now an owner of sl.example.com" in run(
        capsys, "SL.example.com.", "CAROL@example.com"
    )
    assert domain.memberships.get(user=carol).role == "owner"
    event = Event.objects.get(tag="member.made_owner")
    assert (event.actor_name, event.data.get("was", "")) == ("make_owner", was)
    assert sentence(event) == "made carol@example.com an owner"
    letters = delivered()
    assert sorted(letter.to[0] for letter in letters) == [alice.email, carol.email]
    assert {letter.subject for letter in letters} == {"carol@example.com is now an owner of sl.example.com"}
    assert "/domains/sl.example.com/settings/members/" in letters[0].body
    assert "made carol@example.com an owner" in text(
        sign_in(client, carol).get("/domains/sl.example.com/activity/")
    )


def test_make_owner_of_an_owner_records_no_event(capsys, domain, alice):
    assert "already an owner of sl.example.com; nothing changed" in run(capsys, "sl.example.com", alice.email)
    assert not Event.objects.filter(tag="member.made_owner").exists() and delivered() == []


def test_member_option_chooses_among_accounts(capsys, domain, alice, carol):
    other = make_domain("sl.example.com", owner=make_user("dave@example.com"), authorized=False)
    with pytest.raises(
        CommandError, match="Several accounts have added sl.example.com. Choose one with --member"
    ):
        run(capsys, "sl.example.com", carol.email)
    run(capsys, "sl.example.com", carol.email, "--member", "dave@example.com")
    assert other.memberships.get(user=carol).role == "owner"
    assert not domain.memberships.filter(user=carol).exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["example.net", "carol@example.com"], "There is no domain example.net."),
        (["sl.example.com", "x@example.com"], "There is no user x@example.com."),
        (["sl.example.com", "gone@example.com"], "gone@example.com is not active"),
        (["http://example.com/", "carol@example.com"], "Did you mean example.com"),
        (["sl.example.com", "carol@example.com", "--member", "carol@example.com"], "no domain .* of carol@"),
    ],
)
def test_make_owner_explains_refusals(capsys, domain, carol, arguments, sentence):
    make_user("gone@example.com", is_active=False)
    with pytest.raises(CommandError, match=sentence):
        run(capsys, *arguments)
    assert domain.memberships.count() == 2
