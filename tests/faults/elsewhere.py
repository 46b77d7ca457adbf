"""A second database, to be stopped, filled up and inspected from outside."""

import json
import os
import subprocess
import sys

from tests.servers import ROOT

SET_UP = """
import json
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.factories import make_domain, make_user
from tests.faults.web import session_of
alice = make_user("alice@example.com")
domain = make_domain(owner=alice)
print(json.dumps([domain.name, session_of(alice)]))
"""
NUMBERS = """
import json
from credentials.models import Credential
print(json.dumps(dict(Credential.objects.values_list("username", "password_number"))))
"""


def manage(url, *arguments) -> str:
    """Run manage.py on this database; return its output. Raises RuntimeError with that when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def set_up(url) -> tuple[str, str]:
    """Make tables, an owner and a domain; return (domain name, session key of the owner)."""
    name, session = json.loads(manage(url, "shell", "-v0", "-c", SET_UP))
    return name, session


def numbers_of(url) -> dict[str, int]:
    """Username → number of its password, of all credentials."""
    return json.loads(manage(url, "shell", "-v0", "-c", NUMBERS))
