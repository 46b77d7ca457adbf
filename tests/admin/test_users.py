"""People in the admin, and staff who can't raise their own rights."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages

from accounts.models import User
from audit.models import Event
from tests.factories import PASSWORD, make_user
from tests.http import delivered

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
RIGHTS = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}


def change(client, user, **fields):
    return client.post(f"{USERS}{user.pk}/change/", {"email": user.email, "name": "", **fields})


def test_renaming_and_deactivating_write_events(as_sam, alice):
    assert change(as_sam, alice, name="Alice B.").status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.is_active) == ("Alice B.", False)
    assert alice.check_password(PASSWORD)
    data = Event.objects.get(tag="support.user_changed").data
    assert data == {"user": "alice@example.com", "name": "Alice B.", "is_active": False}


@pytest.mark.parametrize("who", ["sam", "alice"])
def test_staff_can_not_grant_rights(as_sam, sam, alice, who):
    user = {"sam": sam, "alice": alice}[who]
    group = Group.objects.create(name="everything")
    every = list(Permission.objects.values_list("pk", flat=True))
    before = set(user.get_all_permissions())
    change(as_sam, user, **RIGHTS, groups=[group.pk], user_permissions=every)
    user = User.objects.get(pk=user.pk)
    assert (user.is_superuser, user.is_staff) == (False, who == "sam")
    assert user.get_all_permissions() == before and group not in user.groups.all()


def test_staff_can_not_edit_a_superuser(as_sam, root):
    page = as_sam.get(f"{USERS}{root.pk}/change/").content.decode()
    assert 'name="_save"' not in page
    assert change(as_sam, root, name="Owned").status_code == 403
    root.refresh_from_db()
    assert root.is_active and root.name == ""


def test_staff_can_not_grant_rights_through_a_group(as_sam, sam):
    sam.user_permissions.add(*Permission.objects.filter(content_type__app_label="auth"))
    group = Group.objects.create(name="support")
    assert as_sam.get(f"/admin/auth/group/{group.pk}/change/").status_code == 403
    assert as_sam.post("/admin/auth/group/add/", {"name": "x"}).status_code == 403


def test_superuser_grants_rights_with_an_event(as_root, alice):
    group = Group.objects.create(name="support")
    assert change(as_root, alice, is_active="on", is_staff="on", groups=[group.pk]).status_code == 302
    alice.refresh_from_db()
    assert alice.is_staff and list(alice.groups.all()) == [group]
    data = Event.objects.get(tag="support.user_changed").data
    assert (data["is_staff"], data["groups"]) == (True, ["support"])


def test_superuser_can_not_lock_themselves_out(as_root, root):
    change(as_root, root, name="Root")
    root.refresh_from_db()
    assert (root.name, root.is_active, root.is_superuser, root.is_staff) == ("Root", True, True, True)


def test_address_and_password_can_not_be_set(as_root, alice):
    change(as_root, alice, email="thief@example.com", password="x" * 20, is_active="on")
    alice.refresh_from_db()
    assert alice.email == "alice@example.com" and alice.check_password(PASSWORD)
    assert as_root.get(f"{USERS}{alice.pk}/password/", follow=True).status_code in (200, 404)


def test_new_person_has_no_password_until_they_choose_one(as_sam):
    as_sam.post(f"{USERS}add/", {"email": " New@Example.com ", "name": "New", **RIGHTS, "password": "x"})
    user = User.objects.get(email="new@example.com")
    assert not user.has_usable_password() and not user.is_staff and not user.is_superuser
    assert Event.objects.get(tag="support.user_added").data["user"] == "new@example.com"


@pytest.mark.parametrize("email", ["ALICE@example.com", "", "a@b", "x\x00@example.com", "a@b.c\nBcc: x@y.z"])
def test_taken_or_invalid_address_is_an_error_of_the_field(as_sam, alice, email):
    response = as_sam.post(f"{USERS}add/", {"email": email, "name": ""})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["email"]


def test_reset_email_is_the_dashboards_own(as_sam, alice):
    fields = {"action": "send_reset", "_selected_action": alice.pk}
    assert "alice@example.com" in as_sam.post(USERS, fields).content.decode()
    as_sam.post(USERS, fields | {"reason": "locked out"})
    (message,) = delivered()
    assert message.to == ["alice@example.com"]
    link = re.search(r"http://127.0.0.1:8000(/account/password/reset/key/\S+)", message.body)[1]
    assert Event.objects.get(tag="support.password_reset_sent").data == {
        "user": "alice@example.com",
        "reason": "locked out",
    }
    assert link.split("-", 1)[1].strip("/") not in str(Event.objects.values())


def test_deactivated_person_gets_no_reset_email(as_sam):
    user = make_user("gone@example.com", is_active=False)
    fields = {"action": "send_reset", "_selected_action": user.pk, "reason": "locked out"}
    response = as_sam.post(USERS, fields)
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        "gone@example.com is not active."
    ]
    assert delivered() == []
