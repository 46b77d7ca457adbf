"""What is posted to the admin asks for a recent sign-in, and continues after it (each route: tests/routes)."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages

from accounts.models import User
from audit.models import Event
from credentials.models import Credential
from tests.factories import PASSWORD, make_credential, make_user
from tests.http import sign_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CONFIRM = "/account/reauthenticate/"
CREDENTIALS, DOMAINS, USERS = (
    "/admin/credentials/credential/",
    "/admin/domains/domain/",
    "/admin/accounts/user/",
)
LONG_AGO = timedelta(minutes=16)


@pytest.fixture
def old(client, root):
    """A superuser who signed in 16 minutes ago."""
    return sign_in(client, root, ago=LONG_AGO)


def confirm(client, response):
    """Type the password on the page that an act led to."""
    assert response["Location"].startswith(f"{CONFIRM}?next=")
    return client.post(response["Location"], {"password": PASSWORD})


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.mark.parametrize("query", ["", "?state=accepted&o=1"])
def test_act_continues_with_its_question_and_reason(old, domain, query):
    credential = make_credential(domain)
    fields = {"action": "suspend", "_selected_action": credential.pk}
    page = confirm(old, old.post(f"{CREDENTIALS}{query}", fields))
    assert 'name="reason"' in text(page) and f'action="{CREDENTIALS}"' in text(page)
    assert page.context["filters"] == query.lstrip("?")
    sign_in(old, User.objects.get(is_superuser=True), ago=LONG_AGO)  # a long think about the reason
    fields |= {"reason": "spam", "filters": query.lstrip("?")}
    done = confirm(old, old.post(CREDENTIALS, fields))
    assert done["Location"] == f"{CREDENTIALS}{query}"
    assert messages_of(done) == ["1 suspended."]
    assert Credential.objects.get().suspended_by_support
    assert Event.objects.get(tag="credential.suspended").data["reason"] == "spam"


def test_form_of_a_filtered_list_returns_to_it(old, alice):
    path = f"{USERS}{alice.pk}/change/?_changelist_filters=is_active__exact%3D1"
    fields = {"name": "Alice B.", "is_active": "on"}
    done = confirm(old, old.post(path, fields))
    assert done["Location"] == f"{USERS}?is_active__exact=1"
    alice.refresh_from_db()
    assert alice.name == "Alice B."


def test_form_with_an_error_posts_to_its_own_page(old):
    page = text(confirm(old, old.post(f"{USERS}add/?_changelist_filters=q%3Da", {"email": "x"})))
    assert "Enter a valid email address." in page
    assert f'action="{USERS}add/?_changelist_filters=q%3Da"' in page
    assert old.post(f"{USERS}add/", {"email": "new@example.com"})["Location"].startswith(USERS)
    assert User.objects.filter(email="new@example.com").exists()


def test_members_are_changed_after_the_confirmation(old, domain, alice, bob):
    rows = [domain.memberships.get(user=user) for user in (alice, bob)]
    fields = {"reason": "asked", "memberships-TOTAL_FORMS": 2, "memberships-INITIAL_FORMS": 2}
    fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0, "memberships-1-DELETE": "on"}
    for number, row in enumerate(rows):
        fields |= {f"memberships-{number}-{key}": getattr(row, key) for key in ("id", "role")}
        fields |= {f"memberships-{number}-domain": domain.pk, f"memberships-{number}-email": row.user.email}
    asked = old.post(f"{DOMAINS}{domain.pk}/change/", fields)
    assert domain.memberships.count() == 2
    assert confirm(old, asked)["Location"] == DOMAINS
    assert domain.memberships.get().user == alice


def test_wrong_password_does_nothing(old, credential):
    asked = old.post(CREDENTIALS, {"action": "remove", "_selected_action": credential.pk, "reason": "spam"})
    assert 'class="error"' in text(old.post(asked["Location"], {"password": "not-the-password"}))
    assert Credential.objects.exists()


def test_staff_with_openid_only_can_confirm(client, credential):
    """Their provider protects them: without a password or second factor here there is nothing to ask for."""
    olga = make_user("olga@example.com", is_staff=True, is_superuser=True)
    olga.set_unusable_password()
    olga.save()
    sign_in(client, olga, ago=LONG_AGO)
    done = client.post(CREDENTIALS, {"action": "suspend", "_selected_action": credential.pk, "reason": "spam"})
    assert messages_of(done) == ["1 suspended."]


def test_non_staff_is_refused_without_asking(client, alice, credential):
    sign_in(client, alice, ago=LONG_AGO)
    fields = {"action": "suspend", "_selected_action": credential.pk, "reason": "spam"}
    answer = client.post(CREDENTIALS, fields)
    assert not answer.headers.get("Location", "").startswith(CONFIRM)
    assert Credential.objects.get().suspended_at is None
