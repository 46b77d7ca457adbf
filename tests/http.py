"""Small helpers for tests that go through HTTP."""

import re
import time
from datetime import timedelta

from django.core import mail
from django.urls import reverse

from accounts import letters


def sign_in(client, user, *, ago=timedelta(0)):
    """Sign a person in without the form, as if with a password `ago`."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time() - ago.total_seconds(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def smtp_url(credential_or_domain, act=""):
    """`credentials:<act>` of a credential, or the list or `add` of a domain."""
    if hasattr(credential_or_domain, "username"):
        args = [credential_or_domain.domain.name, credential_or_domain.username]
        return reverse(f"credentials:{act}", args=args)
    return reverse(f"credentials:{act or 'list'}", args=[credential_or_domain.name])


def without_tokens(response) -> bytes:
    """The body without what differs in each answer: CSRF tokens, and the key of the Add button."""
    return re.sub(
        rb'(name="csrfmiddlewaretoken" value="|id="issue-key" value=")[^"]+', rb"\1", response.content
    )


def text(response) -> str:
    return response.content.decode()


def delivered() -> list:
    """Send the letters that wait, as the thread of a server does; return all that was sent."""
    letters.deliver()
    return mail.outbox
