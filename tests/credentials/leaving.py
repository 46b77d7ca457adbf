"""Somebody who is about to leave: what they got to know, and the pages about them."""

from audit.actor import Actor
from audit.models import Event
from credentials.models import Credential
from domains.models import Invitation, Membership

HTMX = {"HX-Request": "true"}


def url(person, act="", domain="sl.example.com"):
    path = f"/domains/{domain}/settings/members/offboarding/{person.pk}/"
    return f"{path}{act}/" if act else path


def by(user):
    return Actor(user.email, user)


def learn(credential, user, how="credential.password_shown"):
    credential.reveal(how, by=by(user))


def state():
    rows = [list(model.objects.order_by("pk").values()) for model in (Credential, Membership, Invitation)]
    return *rows, Event.objects.count()


def usernames(credentials, **fields):
    return {"username": [row.username for row in credentials], **fields}
