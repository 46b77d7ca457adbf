"""The users of the walk over all routes, and the values in the paths."""

from dataclasses import dataclass, field
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from django.test.client import ClientHandler
from django.urls import reverse

from accounts.models import User
from audit.actor import Actor
from audit.models import Event
from domains.members import actions as members
from domains.models.invitation import make_token
from tests.factories import make_credential, make_domain, make_user
from tests.http import sign_in

ANONYMOUS, DEACTIVATED = "anonymous", "deactivated"
STRANGER, INVITED, REMOVED, STAFF = "stranger", "invited", "removed", "staff"
VIEWER, MANAGER, OWNER = "viewer", "manager", "owner"
OUTSIDE = (ANONYMOUS, DEACTIVATED)
NO_MEMBERS = (STRANGER, INVITED, REMOVED, STAFF)
MEMBERS = (VIEWER, MANAGER, OWNER)
ROLES = (*OUTSIDE, *NO_MEMBERS, *MEMBERS)


@dataclass
class World:
    """`parts` are the values in paths, `sessions` the cookies of signed-in users by role."""

    parts: dict[str, str]
    sessions: dict[str, str]
    # One for all: to load the middleware for each of them took as long as a page.
    _handler: ClientHandler = field(default_factory=lambda: ClientHandler(enforce_csrf_checks=False))

    def client(self, role) -> Client:
        """Return a browser of a role before its first request."""
        client = Client()
        client.handler = self._handler
        if role in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client

    def path(self, route, **parts) -> str:
        values = self.parts | parts
        if route.name in ("domains:resend", "domains:revoke"):
            values["public_id"] = values["invitation_id"]
        return reverse(route.name, kwargs={part: values[part] for part in route.parts})


def make_world() -> World:
    people = {role: make_user(f"{role}@example.com") for role in ROLES if role != ANONYMOUS}
    domain = make_domain("sl.example.com", owner=people[OWNER])
    for role in (VIEWER, MANAGER):
        domain.memberships.create(user=people[role], role=role)
    gone = domain.memberships.create(user=people[REMOVED], role="owner")
    gone.delete()
    domain.memberships.create(user=people[DEACTIVATED], role="owner")
    staff = people[STAFF]
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    staff.user_permissions.set(Permission.objects.all())
    credential = make_credential(domain)
    credential.set_networks("192.0.2.0/24", by=Actor.system("tests"))  # an act with a proof
    with_proof = Event.objects.get(tag="credential.networks_set")
    owner = people[OWNER]
    members.invite([domain], [people[INVITED].email], "viewer", by=Actor(owner.email, owner))
    invitation = domain.invitations.get()
    parts = {
        "name": domain.name,
        "username": credential.username,
        "public_id": str(domain.memberships.get(user=people[VIEWER]).public_id),
        "invitation_id": str(invitation.public_id),
        "person": str(people[VIEWER].pk),
        "token": make_token(invitation.key),
        "run_id": str(uuid4()),
        "number": str(with_proof.number),
        "event": str(with_proof.pk),
        "key": "x",
        "uidb36": "1",
        "object_id": "1",
        "pk": "1",
        "content_type_id": "1",
        "app_label": "domains",
    }
    sessions = {role: _session_of(user) for role, user in people.items()}
    User.objects.filter(pk=people[DEACTIVATED].pk).update(is_active=False)
    return World(parts, sessions)


def _session_of(user) -> str:
    client = sign_in(Client(), user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
