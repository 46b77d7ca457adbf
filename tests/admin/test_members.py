"""The members of a domain, changed by staff: with a reason, with an event, never for themselves."""

from functools import partial
from threading import Thread

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from domains.models import Membership
from tests.factories import make_invitation, make_user
from tests.http import at_once, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(domain, request):
    """Post the domain's page; each row is (membership or None, user, role, delete)."""

    def post(*rows, reason="asked by phone", client=None):
        fields = {"reason": reason, "_continue": "Save", "memberships-TOTAL_FORMS": len(rows)}
        fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0}
        fields["memberships-INITIAL_FORMS"] = sum(1 for row in rows if row[0])
        for number, (membership, user, role, *delete) in enumerate(rows):
            values = {
                "id": membership and membership.pk,
                "email": user.email,
                "role": role,
                "domain": domain.pk,
            }
            values |= {"DELETE": "on"} if delete else {}
            fields |= {f"memberships-{number}-{key}": value or "" for key, value in values.items()}
        client = client or request.getfixturevalue("as_sam")
        return client.post(f"/admin/domains/domain/{domain.pk}/change/", fields)

    return post


@pytest.fixture
def owner(domain, alice):
    return (domain.memberships.get(user=alice), alice, "owner")


@pytest.fixture
def viewer(domain, bob):
    return (domain.memberships.get(user=bob), bob, "viewer")


def roles(domain):
    return dict(domain.memberships.values_list("user__email", "role"))


@pytest.fixture
def manager(domain):
    """Mona, whose role can be lowered."""
    mona = make_user("mona@example.com")
    return (domain.memberships.create(user=mona, role="manager"), mona, "manager")


def test_each_change_of_members_writes_its_event(save, domain, owner, viewer, manager, bob, carol, sam):
    demoted = (*manager[:2], "viewer")
    assert save(owner, viewer, demoted, (None, carol, "viewer")).status_code == 302
    added = (domain.memberships.get(user=carol), carol, "viewer")
    assert save(owner, (*viewer, "delete"), demoted, added).status_code == 302
    events = Event.objects.filter(tag__startswith="support.").order_by("pk")
    assert [(event.tag, event.data["member"], event.data["role"]) for event in events] == [
        ("support.member_added", carol.email, "viewer"),
        ("support.member_changed", manager[1].email, "viewer"),
        ("support.member_removed", bob.email, "viewer"),
    ]
    assert {(event.actor, event.domain, event.data["reason"]) for event in events} == {
        (sam, domain, "asked by phone")
    }


def test_removed_member_can_not_use_an_older_invitation(save, domain, owner, viewer, bob):
    make_invitation(domain, bob.email, "manager")
    make_invitation(domain, "x@example.org")
    save(owner, (viewer[0], bob, "viewer", "delete"))
    assert domain.invitations.get().email == "x@example.org"


def test_membership_can_not_be_moved_to_another_user(save, domain, owner, viewer, manager, carol):
    save(owner, viewer, (manager[0], carol, "viewer"))
    assert roles(domain)[manager[1].email] == "viewer"
    assert carol.email not in roles(domain)


@pytest.mark.parametrize("email", ["nobody@example.com", "", "x", "a@b.c\x00", "o" * 300 + "@example.com"])
def test_member_must_be_an_existing_user(save, domain, owner, viewer, email):
    assert save(owner, viewer, (None, User(email=email), "viewer")).context["errors"]
    assert domain.memberships.count() == 2


@pytest.mark.parametrize("reason", ["", "x" * 201])
def test_change_of_members_needs_a_reason(save, domain, owner, viewer, bob, reason):
    response = save(owner, (*viewer, "delete"), reason=reason)
    assert response.context["errors"]
    assert roles(domain)[bob.email] == "viewer"


def test_unchanged_members_write_no_event(save, owner, viewer):
    save(owner, viewer)
    assert not Event.objects.filter(tag__startswith="support.").exists()


def test_staff_can_not_add_themselves(save, domain, owner, viewer, sam):
    assert "your own membership" in save(owner, viewer, (None, sam, "owner")).content.decode()
    mine = domain.memberships.create(user=sam, role="viewer")
    assert "your own membership" in save(owner, viewer, (mine, sam, "owner")).content.decode()
    assert roles(domain)[sam.email] == "viewer"


def test_last_owner_can_not_be_removed(save, domain, owner, viewer, alice):
    for rows in ([(*owner, "delete"), viewer], [(owner[0], alice, "viewer"), viewer]):
        assert "needs an owner" in save(*rows).content.decode()
    assert roles(domain)[alice.email] == "owner"


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_keep_one_owner(save, domain, owner, alice, carol, as_root):
    other = domain.memberships.create(user=carol, role="owner")
    path = f"/domains/sl.example.com/settings/members/{other.public_id}/remove/"
    removal = Thread(target=at_once, args=(partial(sign_in(Client(), alice).post, path),))

    def once_the_page_is_judged(execute, sql, *args):
        result = execute(sql, *args)
        # The first question for nothing but e-mails and roles comes right before they are saved.
        if sql.startswith('SELECT "accounts_user"."email"') and '"role"' in sql and not removal.ident:
            removal.start()
            removal.join(0.5)  # it waits for the page, or is done by then
        return result

    with connection.execute_wrapper(once_the_page_is_judged):
        save((*owner, "delete"), (other, carol, "owner"), client=as_root)
    removal.join()
    assert domain.memberships.filter(role="owner").exists()


def test_domain_deleted_in_the_meantime_is_not_found(save, domain, owner, viewer, carol):
    rows = owner, viewer, (None, carol, "viewer")
    waits = True

    def delete_once_found(execute, sql, *args):
        nonlocal waits
        result = execute(sql, *args)
        if waits and 'FROM "domains_domain"' in sql:
            waits = False
            domain.delete()
        return result

    with connection.execute_wrapper(delete_once_found):
        assert save(*rows).status_code == 404


def test_user_can_not_be_a_member_twice(save, domain, owner, viewer, bob, carol):
    assert save(owner, viewer, (None, bob, "owner")).context["errors"]
    assert save(owner, viewer, (None, carol, "viewer"), (None, carol, "viewer")).context["errors"]
    assert domain.memberships.count() == 2


def test_stale_page_adds_no_member_twice(save, domain, owner, viewer, carol):
    domain.memberships.create(user=carol, role="viewer")
    assert "is already a member" in save(owner, viewer, (None, carol, "owner")).content.decode()
    assert roles(domain)[carol.email] == "viewer"


@pytest.mark.parametrize("role", ["admin", "", "OWNER"])
def test_unknown_role_is_refused(save, domain, owner, viewer, carol, role):
    assert save(owner, viewer, (None, carol, role)).context["errors"]
    assert domain.memberships.count() == 2


def test_other_fields_of_the_domain_are_unchanged(save, domain, owner, viewer, as_sam):
    token = domain.verification_token
    path = f"/admin/domains/domain/{domain.pk}/change/"
    as_sam.post(path, {"name": "evil.example", "verification_token": "x", "reason": "r", "authorized_at": ""})
    domain.refresh_from_db()
    assert (domain.name, domain.verification_token) == ("sl.example.com", token)
    assert domain.authorized_at


def test_view_permission_shows_no_field(save, domain, owner, viewer, bob, vera, client):
    sign_in(client, vera)
    page = client.get(f"/admin/domains/domain/{domain.pk}/change/").content.decode()
    assert bob.email in page and 'name="reason"' not in page and "memberships-0-role" not in page
    assert save(owner, (viewer[0], bob, "owner"), client=client).status_code == 403
    assert Membership.objects.get(user=bob).role == "viewer"


def test_domain_can_not_be_added(as_root):
    assert as_root.get("/admin/domains/domain/add/").status_code == 403


def test_number_of_queries_does_not_depend_on_members(as_root, domain, django_assert_num_queries):
    path = f"/admin/domains/domain/{domain.pk}/change/"
    as_root.get(path)
    with CaptureQueriesContext(connection) as few:
        as_root.get(path)
    for number in range(30):
        domain.memberships.create(user=make_user(f"m{number}@example.com"), role="viewer")
    with django_assert_num_queries(len(few)):
        as_root.get(path)
