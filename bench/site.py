"""A temporary site to measure: its own VAR_DIR, database, web server and listener."""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
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
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.models import User
    from audit.actor import Actor
    from domains.models import Domain

    user = User.objects.create_user("bench@example.com", secrets.token_hex())
    by = Actor(user.email, user)
    domain = Domain.objects.add("sl.example.com", by=by)
    domain.authorize(by=by)
    issued = [domain.credentials.issue(by=by, label=f"Site {n}") for n in range(CREDENTIALS - 1)]
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={'c' * 32}"
    return cookie, domain.name, [(credential.username, password) for credential, password in issued]


@contextmanager
def cleaned_up(var_dir: Path):
    try:
        yield
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)
