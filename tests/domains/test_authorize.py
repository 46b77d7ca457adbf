"""Authorizing a domain: once, with its first credential, in one account; and the two commands for it."""

import re
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.models import Event
from credentials.models import Credential
from domains.models import AlreadyAuthorized, Domain, NameSuspended
from tests.factories import PASSWORD, SYSTEM, make_domain, make_user
from tests.http import at_once, text

pytestmark = pytest.mark.django_db


def pending(name="sl.example.com", email="alice@example.com"):
    owner = User.objects.filter(email=email).first() or make_user(email)
    return make_domain(name, owner=owner, authorized=False)


def run(command, *arguments, capsys):
    call_command(command, *arguments)
    return capsys.readouterr().out


def test_first_authorization_issues_first_credential():
    domain = pending()
    credential = domain.authorize(by=SYSTEM, reason="proved")
    assert list(domain.credentials.all()) == [credential]
    assert Domain.objects.get().is_authorized and domain.is_authorized
    tags = Event.objects.order_by("pk").values_list("tag", "data")
    assert list(tags)[1:] == [("domain.authorized", {"reason": "proved"}), ("credential.created", {})]


def test_second_authorization_changes_nothing():
    domain = pending()
    stale = Domain.objects.get(pk=domain.pk)
    domain.authorize(by=SYSTEM)
    at = domain.authorized_at
    assert domain.authorize(by=SYSTEM) is None and stale.authorize(by=SYSTEM) is None
    assert stale.authorized_at == Domain.objects.get().authorized_at == at
    assert Credential.objects.count() == Event.objects.filter(tag="domain.authorized").count() == 1


def test_name_is_authorized_in_one_account_only():
    mine, theirs = pending(), pending(email="bob@example.com")
    mine.authorize(by=SYSTEM)
    with pytest.raises(AlreadyAuthorized):
        theirs.authorize(by=SYSTEM)
    assert theirs.authorized_at is None and not theirs.credentials.exists()
    assert Event.objects.filter(domain=theirs).values_list("tag", flat=True).get() == "domain.added"


def test_suspended_domain_is_authorized_only_after_it_is_resumed():
    domain = pending()
    domain.suspend(by=SYSTEM)
    with pytest.raises(NameSuspended):
        domain.authorize(by=SYSTEM)
    assert (domain.state, domain.authorized_at) == (Domain.State.SUSPENDED, None)
    domain.resume(by=SYSTEM)
    assert domain.authorize(by=SYSTEM) and domain.is_authorized


def test_domain_stays_pending_when_event_cannot_be_written(monkeypatch):
    domain = pending()

    def refuse(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr("audit.record", refuse)
    with pytest.raises(RuntimeError):
        domain.authorize(by=SYSTEM)
    assert Domain.objects.get().authorized_at is None and not Credential.objects.exists()


def tried(domain):
    """Authorize a domain; return the result or the exception."""
    try:
        return domain.authorize(by=SYSTEM)
    except AlreadyAuthorized as refusal:
        return refusal


@pytest.mark.django_db(transaction=True)
def test_concurrent_authorizations_issue_one_credential():
    domain = pending()
    results = at_once(*(partial(tried, Domain.objects.get(pk=domain.pk)) for _ in range(4)))
    assert sum(result is not None for result in results) == 1
    assert Credential.objects.count() == Event.objects.filter(tag="domain.authorized").count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_authorizations_in_two_accounts_give_name_to_one():
    results = at_once(*(partial(tried, pending(email=f"{who}@example.com")) for who in "abc"))
    assert sum(isinstance(result, AlreadyAuthorized) for result in results) == 2
    assert Domain.objects.filter(authorized_at__isnull=False).count() == Credential.objects.count() == 1


def test_command_authorizes_domain_that_user_added(capsys):
    domain = pending()
    said = run("authorize_domain", "SL.example.com.", capsys=capsys)
    assert f"First SMTP username: {domain.credentials.get().username}" in said
    assert Event.objects.get(tag="domain.authorized").actor_name == "authorize_domain"
    assert "already authorized; nothing changed" in run("authorize_domain", "sl.example.com", capsys=capsys)
    assert domain.credentials.count() == 1


def test_command_adds_domain_for_owner(capsys):
    alice = make_user("alice@example.com")
    run("authorize_domain", "münchen.de", "--owner", "ALICE@example.com", capsys=capsys)
    domain = Domain.objects.get(name="xn--mnchen-3ya.de")
    assert domain.is_authorized and domain.memberships.get().role == "owner"
    assert list(alice.domains.all()) == [domain]


@pytest.mark.parametrize("name", ["nic.in", "gov.in", "co.uk"])
def test_public_suffix_is_authorized_by_command_alone(client, capsys, name):
    client.force_login(make_user("alice@example.com"))
    page = text(client.post("/domains/add/", {"name": name}))
    assert f"If {name} itself is yours, ask the operator of this server to add it." in page
    run("authorize_domain", name, "--owner", "alice@example.com", capsys=capsys)
    assert Domain.objects.get(name=name).is_authorized
    assert f"_sendlayer.{name}" in text(client.get(f"/domains/{name}/settings/dns/"))
    make_user("bob@example.com")
    assert "is now an owner" in run("make_owner", name, "bob@example.com", capsys=capsys)


def test_command_asks_for_owner_when_several_users_added_domain(capsys):
    pending(), pending(email="bob@example.com")
    with pytest.raises(CommandError, match="Several users have added sl.example.com"):
        run("authorize_domain", "sl.example.com", capsys=capsys)
    run("authorize_domain", "sl.example.com", "--owner", "bob@example.com", capsys=capsys)
    assert Domain.objects.get(authorized_at__isnull=False).created_by.email == "bob@example.com"
    assert "nothing changed" in run("authorize_domain", "sl.example.com", capsys=capsys)
    with pytest.raises(CommandError, match="already authorized in another account"):
        run("authorize_domain", "sl.example.com", "--owner", "alice@example.com", capsys=capsys)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["example.net"], "Nobody has added example.net"),
        (["http://example.com/"], "Did you mean example.com"),
        (["localhost"], "has no ending"),
        (["example.net", "--owner", "nobody@example.com"], "There is no user nobody@example.com"),
    ],
)
def test_command_explains_refusals(arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("authorize_domain", *arguments)
    assert not Domain.objects.exists()


def test_demo_creates_owner_who_can_sign_in_and_send(capsys, monkeypatch):
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    said = run("demo", capsys=capsys)
    password = re.search(r"Sign in as owner@example.com with the password (\S+)", said)[1]
    user = User.objects.get()
    assert len(password) >= 16 and user.check_password(password)
    domain = user.domains.get()
    assert (domain.name, domain.is_authorized, domain.credentials.count()) == ("sl.example.com", True, 1)


def test_second_demo_run_changes_nothing(capsys, monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", PASSWORD)
    assert PASSWORD in run("demo", capsys=capsys)
    before = list(User.objects.values()), list(Credential.objects.values()), Event.objects.count()
    monkeypatch.setenv("DEMO_PASSWORD", "another-password")
    said = run("demo", capsys=capsys)
    assert (list(User.objects.values()), list(Credential.objects.values()), Event.objects.count()) == before
    assert "another-password" not in said and "changepassword" in said
