"""Small helpers for tests that go through HTTP."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core import mail
from django.db import connection
from django.urls import reverse

from accounts import emails
from web.session_store import SessionStore


def sign_in(client, user, *, ago=timedelta(0)):
    """Sign a person in without the form, as if with a password `ago`.

    The session is as a sign-in leaves it, but made by one INSERT: `force_login` takes 19 statements.
    """
    session = SessionStore()
    session.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            "account_authentication_methods": [{"method": "password", "at": time.time() - ago.total_seconds()}],
            "account_authentication_methods_user": str(user.pk),
        }
    )
    session.save(must_create=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def at_once(*calls) -> list:
    """Run these in threads that start together; return what they return, in their order."""
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


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


def headers_of(response) -> dict:
    """The headers without the one that differs in each answer."""
    return {name: value for name, value in response.headers.items() if name != "X-Request-ID"}


def text(response) -> str:
    return response.content.decode()


def delivered() -> list:
    """Send the letters that wait, as the thread of a server does; return all that was sent."""
    emails.deliver()
    return mail.outbox
