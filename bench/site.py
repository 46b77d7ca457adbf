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
DOMAINS = 500
CREDENTIALS_EACH = 10  # in each of those
KNOWN = 10  # passwords that a person knows who leaves


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


def fill_leaver(domain) -> int:
    """Add a manager to the domain who copied KNOWN of its passwords; return their primary key."""
    from accounts.models import User
    from credentials.models import Credential
    from domains.models import Domain
    from domains.roles import Role

    user = User.objects.create_user("leaver@example.com", secrets.token_hex())
    Domain.objects.get(name=domain).memberships.create(user=user, role=Role.MANAGER)
    for credential in Credential.objects.filter(domain__name=domain)[:KNOWN]:
        credential.reveal("credential.password_copied", by=actor(user))
    return user.pk


def fill_many() -> str:
    """Make another owner, of many domains with credentials each; return the Cookie header of a session.

    In bulk: no event tells of them.
    """
    from django.utils import timezone

    from accounts.models import User
    from domains.models import Domain, Membership
    from domains.roles import Role

    user, now = User.objects.create_user("many@example.com", secrets.token_hex()), timezone.now()
    names = [f"shop-{number:03}.example.com" for number in range(DOMAINS)]
    domains = Domain.objects.bulk_create(
        Domain(name=name, display_name=name, authorized_at=now, created_by=user) for name in names
    )
    Membership.objects.bulk_create(Membership(user=user, domain=domain, role=Role.OWNER) for domain in domains)
    issue_many(domains, now)
    return cookie_of(user)


def issue_many(domains, now):
    """Add credentials to domains, each of them last used some days before the one before it."""
    from credentials import passwords, verifier
    from credentials.models import Credential
    from credentials.models.base import new_username, password_data
    from vault import cipher

    password = passwords.generate()
    verifier_of_all, rows = verifier.make(password), []
    for domain in domains:
        for number in range(CREDENTIALS_EACH):
            username = new_username()
            rows.append(
                Credential(
                    domain=domain,
                    username=username,
                    label=f"Site {number}",
                    password_sealed=cipher.seal(password, associated_data=password_data(username)),
                    verifier=verifier_of_all,
                    password_changed_at=now,
                    last_used_at=now - timedelta(days=11 * number),
                )
            )
    Credential.objects.bulk_create(rows)


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
        tally.write()  # all that is written at once counts for its last day
    tally.add_message(username, "203.0.113.7", ehlo="shop.sl.example.com", mail_from="info@sl.example.com")
    tally.write()


@contextmanager
def cleaned_up(var_dir: Path):
    try:
        yield
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)
