"""`python -m tests.audit.acts_of_the_site`: everything that the site does in a day, on DATABASE_URL as it is.

It ends with 0 when nothing was refused. Run by test_app_role.py with the dashboard's own role.
"""

import re
from uuid import UUID

import django
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse

PLAIN = {
    "PASSWORD_HASHERS": ["tests.hashers.QuickHasher"],
    "STORAGES": {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
}
PASSWORD = "correct-horse-battery"
KEY = UUID("6f1c5a34-0000-4000-8000-000000000001")


def main():
    from django.core.cache import cache

    from accounts import emails
    from accounts.models import User
    from audit.actor import Actor
    from audit.models import Event
    from credentials.models import Credential
    from domains.members import actions as members
    from domains.models import Domain
    from domains.models.invitation import make_token
    from tests.factories import make_use, password_of
    from vault import keyring

    assert keyring.examine() == ""
    browser = Client(SERVER_NAME="127.0.0.1")

    def post(url, status=302, **fields):
        response = browser.post(url, fields)
        assert response.status_code == status, (url, response.status_code)
        return response

    alice = User.objects.create_superuser("alice@example.com", PASSWORD)
    guest = User.objects.create_user("guest@example.com", PASSWORD)
    by = Actor(alice.email, alice)
    post("/login/", 200, login=alice.email, password="wrong")
    post("/login/", login=alice.email, password=PASSWORD)
    cache.set("x", 1)
    assert cache.get("x") == 1

    post("/domains/add/", name="sl-site.com")
    domain = Domain.objects.get()
    domain.authorize(by=by)
    post(reverse("credentials:add", args=[domain.name]), key=KEY)
    _first, credential = domain.credentials.order_by("pk")
    for act, status in {"reveal": 200, "copy": 200, "reset": 302, "label": 302, "networks": 302}.items():
        post(reverse(f"credentials:{act}", args=[domain.name, credential.username]), status, label="Shop")
    page = post(reverse("credentials:hand_over", args=[domain.name, credential.username]), 200, valid_for="1h")
    link = re.search(r"/hand-over/key/[\w-]+/", page.content.decode())[0]
    for status in (200, 410):
        post(link, status)
    make_use(credential)
    assert Credential.objects.get(pk=credential.pk).last_used_at
    password = password_of(credential)
    assert Credential.objects.authenticate(credential.username, password).outcome.name == "ACCEPTED"
    for act in ("suspend", "resume"):
        fields = {"action": act, "_selected_action": credential.pk, "reason": "asked"}
        post("/admin/credentials/credential/", **fields)
    post(reverse("credentials:delete", args=[domain.name, credential.username]), sure="on")

    settings = f"/domains/{domain.name}/settings"
    post(f"{settings}/members/invite/", emails=guest.email, role="viewer")
    post(f"{settings}/name/", title="Shop")
    invitation = domain.invitations.get()
    members.accept(make_token(invitation.key), guest, by=Actor(guest.email, guest))
    emails.deliver()
    guest.delete()
    for command in ("rotate_keys", "tidy", "check_domains", "deliver_letters", "verify_store", "clearsessions"):
        call_command(command)
    post(f"{settings}/delete/", name=domain.name)
    assert browser.get("/domains/").status_code == 200
    post("/account/sessions/end/")

    tags = set(Event.objects.filter(domain_id=domain.pk).values_list("tag", flat=True))
    assert {
        "credential.created",
        "credential.reset",
        "credential.hand_over_opened",
        "member.joined",
        "domain.deleted",
    } <= tags, tags
    call_command("verify_audit")


if __name__ == "__main__":
    django.setup()
    with override_settings(**PLAIN):
        main()
