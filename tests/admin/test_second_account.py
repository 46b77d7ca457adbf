"""Staff with a second account: nothing in the admin leads to an SMTP password or an owner's rights."""

import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from audit.models import Event
from domains.models import Domain
from tests.accounts.codes import make_totp
from tests.factories import make_credential, make_domain, make_user, password_of
from tests.http import delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
USERS, DOMAINS = "/admin/accounts/user/", "/admin/domains/domain/"
NEW_PASSWORD = "a-password-that-staff-chose"


@pytest.fixture(params=["sam", "root"])
def staff(request, client):
    """Support staff, then a superuser: the promises hold for both."""
    return sign_in(client, request.getfixturevalue(request.param))


@pytest.fixture
def mallory(db):
    """The second account of a member of the staff."""
    return make_user("mallory@example.org")


@pytest.fixture
def save(domain, staff):
    """Post the domain's page as it is, with changes by e-mail, and one more row; return the response."""

    def post(*, changes=None, added=None, **forged):
        rows = [
            {"id": one.pk, "email": one.user.email, "role": one.role} | (changes or {}).get(one.user.email, {})
            for one in domain.memberships.order_by("pk")
        ]
        fields = {"reason": "asked by phone", "_continue": "Save", "memberships-INITIAL_FORMS": len(rows)}
        rows += [added] if added else []
        fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0}
        fields |= {f"memberships-{n}-{key}": value for n, row in enumerate(rows) for key, value in row.items()}
        fields |= {f"memberships-{n}-domain": domain.pk for n in range(len(rows))}
        fields |= {"memberships-TOTAL_FORMS": len(rows)} | forged
        return staff.post(f"{DOMAINS}{domain.pk}/change/", fields)

    return post


def roles(domain):
    return dict(domain.memberships.values_list("user__email", "role"))


def act(client, path, name, *rows):
    fields = {"action": name, "_selected_action": [row.pk for row in rows], "reason": "asked by phone"}
    return [str(message) for message in get_messages(client.post(path, fields).wsgi_request)]


def test_second_account_of_staff_reaches_no_password(staff, save, domain):
    """Create a user, mail it a reset, set its password, add it to the domain, sign in as it."""
    credential = make_credential(domain)
    staff.post(f"{USERS}add/", {"email": "mallory@example.org", "name": ""})
    mallory = Event.objects.get(tag="support.user_added").data["user"]
    fields = {
        "action": "send_reset",
        "_selected_action": domain.memberships.model.user.get_queryset().get(email=mallory).pk,
        "reason": "new",
    }
    staff.post(USERS, fields)
    link = re.search(r"(/account/password/reset/key/\S+)", delivered()[0].body)[1]
    browser = Client()
    page = browser.get(link, follow=True)
    browser.post(page.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    for role in ("owner", "manager"):
        page = text(save(added={"email": mallory, "role": role}))
        assert "New members are viewers. An owner can raise the role under Members." in page
        assert mallory not in roles(domain)
    assert save(added={"email": mallory, "role": "viewer"}).status_code == 302
    assert roles(domain)[mallory] == "viewer"
    browser.post("/login/", {"login": mallory, "password": NEW_PASSWORD})
    assert browser.get(smtp_url(domain)).status_code == 200
    for address in (smtp_url(credential, "reveal"), smtp_url(credential, "copy")):
        answer = browser.post(address)
        assert answer.status_code == 403 and password_of(credential) not in text(answer)
    assert browser.post("/domains/sl.example.com/settings/members/invite/").status_code == 403
    (letter,) = [one for one in delivered() if one.to == ["alice@example.com"]]
    assert letter.subject == "mallory@example.org is now a member of sl.example.com"


@pytest.mark.parametrize("was", ["viewer", "manager"])
def test_role_can_not_be_raised(save, domain, mallory, was):
    domain.memberships.create(user=mallory, role=was)
    for role in {"viewer": ["manager", "owner"], "manager": ["owner"]}[was]:
        answer = save(changes={mallory.email: {"role": role}})
        assert "A role can only be lowered here. An owner can raise it under Members." in text(answer)
    assert roles(domain)[mallory.email] == was
    assert not Event.objects.filter(tag__startswith="support.").exists()


def test_lowering_a_role_writes_an_event(save, domain, mallory):
    domain.memberships.create(user=mallory, role="owner")
    for was, role in (("owner", "manager"), ("manager", "viewer")):
        assert save(changes={mallory.email: {"role": role}}).status_code == 302
        event = Event.objects.filter(tag="support.member_changed").latest("pk")
        assert (event.data["was"], event.data["role"]) == (was, role)
    assert roles(domain)[mallory.email] == "viewer"


def test_page_offers_only_allowed_roles(staff, domain):
    page = text(staff.get(f"{DOMAINS}{domain.pk}/change/"))
    assert "add members as viewers, lower roles and remove members" in page
    assert "manage.py make_owner DOMAIN EMAIL" in page
    offered = dict(re.findall(r'<select name="memberships-(\w+)-role".*?>(.*?)</select>', page, re.S))
    values = {row: re.findall(r'value="(\w+)"', options) for row, options in offered.items()}
    assert values == {"0": ["owner", "manager", "viewer"], "1": ["viewer"], "__prefix__": ["viewer"]}


def test_forged_rows_change_nothing(save, domain, mallory, bob):
    """Rows of other domains, other people in a row, an existing row as new, fields that are not offered."""
    theirs = make_domain("other.example.com").memberships.get()
    mine = domain.memberships.create(user=mallory, role="viewer")
    before = roles(domain)
    for forged in (
        {"memberships-2-id": theirs.pk, "memberships-2-email": mallory.email, "memberships-2-role": "owner"},
        {"memberships-2-user": theirs.user_id, "memberships-2-role": "owner"},
        {"memberships-2-id": "", "memberships-2-role": "owner"},
        {"memberships-INITIAL_FORMS": 2, "memberships-2-id": "", "memberships-2-role": "owner"},
        {"memberships-INITIAL_FORMS": 0, "memberships-2-role": "manager"},
        {"memberships-0-id": mine.pk, "memberships-0-role": "owner", "memberships-2-role": "owner"},
        {"memberships-2-domain": theirs.domain_id, "memberships-2-role": "manager"},
    ):
        save(**forged)
        assert roles(domain) == before, forged
        theirs.refresh_from_db()
        assert (theirs.role, theirs.domain.name) == ("owner", "other.example.com")
    assert not Event.objects.filter(tag__startswith="support.").exists()


def test_no_other_page_adds_a_membership(staff, domain, mallory):
    fields = {"user": mallory.pk, "domain": domain.pk, "role": "owner", "email": mallory.email}
    for path in ("/admin/domains/membership/add/", "/admin/domains/invitation/add/"):
        assert staff.post(path, fields).status_code == 404
    rows = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0}
    rows |= {f"memberships-0-{name}": value for name, value in fields.items()}
    staff.post(f"{USERS}{mallory.pk}/change/", rows | {"email": mallory.email, "name": "", "is_active": "on"})
    staff.post(f"{DOMAINS}{domain.pk}/change/?_to_field=name", rows | {"reason": "r"})
    assert mallory.email not in roles(domain)


def test_last_owner_who_can_sign_in_can_not_be_removed(save, domain, mallory, alice):
    """Otherwise nobody could object: a deactivated owner is one in name only."""
    domain.memberships.create(user=mallory, role="owner")
    type(mallory).objects.filter(pk=mallory.pk).update(is_active=False)
    for change in ({"DELETE": "on"}, {"role": "viewer"}):
        assert "needs an owner who can sign in" in text(save(changes={alice.email: change}))
    assert save(changes={mallory.email: {"DELETE": "on"}}).status_code == 302
    assert list(roles(domain)) == [alice.email, "bob@example.com"]


def test_members_can_be_removed_when_no_owner_can_sign_in(save, domain, alice, bob):
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert save(changes={bob.email: {"DELETE": "on"}}).status_code == 302
    assert roles(domain) == {alice.email: "owner"}


def test_staff_can_not_authorize_a_name_of_several_accounts(staff, mallory, alice):
    """Under a customer's name a second account would get an SMTP user, and keep the customer out."""
    squatted = make_domain("shop.example.com", owner=mallory, authorized=False)
    customers = make_domain("shop.example.com", owner=alice, authorized=False)
    for row in (squatted, customers):
        (*_before, message) = act(staff, DOMAINS, "authorize", row)
        assert message == "shop.example.com was added in several accounts: only its DNS can prove whose it is."
    assert not Domain.objects.filter(authorized_at__isnull=False).exists()
    squatted.memberships.all().delete()  # a name that a restoring holds has no members
    assert act(staff, DOMAINS, "authorize", customers)[-1] == "1 authorized."


def test_reset_without_the_mailbox_gives_no_access(staff, alice):
    """The link and the notice both go to the person; staff see neither."""
    make_totp(alice)
    act(staff, USERS, "send_reset", alice)
    act(staff, USERS, "remove_two_factor", alice)
    assert [one.to for one in delivered()] == [[alice.email]] * 2
    link = re.search(r"reset/key/(\S+?)/", delivered()[0].body)[1]
    for path in (USERS, f"{USERS}{alice.pk}/change/", "/admin/audit/event/"):
        assert link not in text(staff.get(path))
    staff.post(f"{USERS}{alice.pk}/change/", {"email": "mallory@example.org", "name": "", "is_active": "on"})
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert {event.tag for event in Event.objects.filter(data__reason="asked by phone")} == {
        "support.password_reset_sent",
        "support.two_factor_removed",
    }
