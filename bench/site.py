"""A temporary site to measure: its own VAR_DIR, database, web server and listener."""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CREDENTIALS = 25


def set_environment() -> Path:
    """Set the environment for Django in this process and its children; return the new VAR_DIR."""
    var_dir = Path(tempfile.mkdtemp(prefix="sendlayer-bench-"))
    os.environ.update(
        DJANGO_SETTINGS_MODULE="bench.settings",
        VAR_DIR=str(var_dir),
        SECRET_KEY=secrets.token_urlsafe(50),
        CREDENTIAL_KEYS="k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        HTTPS_ONLY="no",
        ACCESS_LOG="/dev/null",
        LOG_LEVEL="WARNING",
    )
    return var_dir


def prepare() -> Path:
    """Set the environment, make the database and collect the static files; return the new VAR_DIR."""
    var_dir = set_environment()
    manage("migrate", "-v0")
    manage("collectstatic", "--no-input", "-v0")
    return var_dir


def manage(*command, **environment):
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True, env=os.environ | environment)


def fill():
    """Make an owner with a session, and a domain with a full page of credentials.

    Return (Cookie header of the session, domain name, [(username, password), …]).
    """
    import django

    django.setup()
    from accounts.models import User
    from domains.models import Domain

    user = User.objects.create_user("bench@example.com", secrets.token_hex())
    by = actor(user)
    domain = Domain.objects.add("sl.example.com", by=by)
    domain.authorize(by=by)
    issued = [domain.credentials.issue(by=by, label=f"Site {n}") for n in range(CREDENTIALS - 1)]
    use_for_a_month(issued[0][0].username)
    return cookie_of(user), domain.name, [(credential.username, password) for credential, password in issued]


def actor(user):
    from audit.actor import Actor

    return Actor(user.email, user)


def cookie_of(user) -> str:
    """Begin a session of a user; return the Cookie header of its browser."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={'c' * 32}"


def use_for_a_month(username):
    """Add the logins of a shop: from two addresses each day, and a few that are refused."""
    from django.utils import timezone

    from credentials.outcome import Outcome
    from credentials.usage.tally import Tally

    tally = Tally()
    for days in range(30):
        at = timezone.now() - timedelta(days=days)
        tally.add(username, "203.0.113.7", Outcome.ACCEPTED, at=at, number=200)
        tally.add(username, "2001:db8:4::61", Outcome.ACCEPTED, at=at, number=20)
        if days % 7 == 0:
            tally.add(username, "192.0.2.88", Outcome.WRONG_PASSWORD, at=at, number=3)
    tally.add_message(username, "203.0.113.7", ehlo="shop.sl.example.com", mail_from="info@sl.example.com")
    tally.write()


@contextmanager
def cleaned_up(var_dir: Path):
    try:
        yield
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)
