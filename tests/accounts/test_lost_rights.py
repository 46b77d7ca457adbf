"""Users who lose a right in the middle: unfinished sign-ins, links, sessions, suspended requests."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from domains.models import Membership
from tests.accounts.codes import code_of, make_totp
from tests.accounts.test_confirmed import NEW, mailed
from tests.factories import PASSWORD, make_user
from tests.http import delivered, sign_in, text

pytestmark = pytest.mark.django_db
CODE = "/account/two-factor/authenticate/"
RESET = "/account/password/reset/"


@pytest.fixture
def root():
    return sign_in(Client(), make_user("root@example.com", is_staff=True, is_superuser=True))


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


def set_active(root, user, active):
    fields = {"email": user.email, "name": ""} | ({"is_active": "on"} if active else {})
    assert root.post(f"/admin/accounts/user/{user.pk}/change/", fields).status_code == 302


class TestASignInHalfWay:
    """A sign-in that waits for the code, after the right password."""

    @pytest.fixture
    def secret(self, alice):
        return make_totp(alice)

    @pytest.fixture
    def half_way(self, client, alice, secret):
        answer = client.post("/login/", {"login": alice.email, "password": PASSWORD})
        assert answer["Location"] == CODE
        return client

    def test_continues_with_the_code(self, half_way, secret):
        half_way.post(CODE, {"code": code_of(secret)})
        assert is_signed_in(half_way)

    def test_ends_when_the_password_changes(self, half_way, alice, secret):
        elsewhere = sign_in(Client(), alice)
        assert elsewhere.post("/account/password/", {"oldpassword": PASSWORD} | NEW).status_code == 302
        answer = half_way.post(CODE, {"code": code_of(secret)}, follow=True)
        assert "Your account changed during the sign-in. Sign in again." in text(answer)
        assert not is_signed_in(half_way)

    def test_ends_when_all_sessions_end(self, half_way, alice, secret):
        sign_in(Client(), alice).post("/account/sessions/end/")
        half_way.post(CODE, {"code": code_of(secret)})
        assert not is_signed_in(half_way)

    def test_ends_when_the_user_is_deactivated_temporarily(self, half_way, root, alice, secret):
        for active in (False, True):
            set_active(root, alice, active)
        half_way.post(CODE, {"code": code_of(secret)})
        assert not is_signed_in(half_way)


def test_sessions_stay_ended_when_a_user_is_reactivated(root, alice):
    client = sign_in(Client(), alice)
    for active in (False, True):
        set_active(root, alice, active)
        assert not is_signed_in(client)
    assert client.post("/login/", {"login": alice.email, "password": PASSWORD})["Location"] == "/"


def test_reset_link_of_a_deactivated_user_sets_no_password(client, alice):
    client.post(RESET, {"email": alice.email})
    link = mailed("/account/password/reset/key/")
    form = client.get(link)["Location"]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "This link no longer works" in text(client.post(form, NEW))
    assert "This link no longer works" in text(Client().get(link))
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_deactivated_user_can_not_confirm_an_email_change(as_alice, alice):
    as_alice.post("/account/email/", {"email": "new@example.com"})
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for visitor in (as_alice, Client()):
        assert visitor.post(mailed("/account/confirm-email/"))["Location"].startswith("/login/")
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_suspended_act_is_judged_by_the_current_role(client, alice, bob, domain):
    sign_in(client, alice, ago=timedelta(hours=1))
    member = Membership.objects.get(user=bob)
    path = f"/domains/sl.example.com/settings/members/{member.public_id}/remove/"
    confirm = client.post(path)["Location"]
    Membership.objects.filter(user=alice).update(role="viewer")
    assert client.post(confirm, {"password": PASSWORD}).status_code == 403
    assert Membership.objects.filter(pk=member.pk).exists()


@pytest.mark.parametrize("change", [{"is_staff": False, "is_superuser": False}, {"is_active": False}])
def test_former_staff_can_not_use_the_admin_with_an_open_session(root, alice, change):
    User.objects.filter(email="root@example.com").update(**change)
    fields = {"action": "end_sessions", "_selected_action": alice.pk, "reason": "x"}
    assert root.post("/admin/accounts/user/", fields).status_code in (302, 403)
    alice.refresh_from_db()
    assert alice.session_epoch == 0 and delivered() == []
