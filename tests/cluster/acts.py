"""Acts at the primary, by the dashboard's own code, and what the databases of the hosts know of them."""

import json
import subprocess
from dataclasses import dataclass

import psycopg

from tests.cluster.hosts import Host

DOMAIN = "example.com"
# Each line is a username to delete; the answer says when the act began, and when COMMIT began and had returned.
DELETING = """
import json, sys, time
from audit.actor import Actor
from credentials.models import Credential
from django.db import connection
commit, moments = connection._commit, []
def timed():
    moments.append(time.time())
    commit()
    moments.append(time.time())
connection._commit = timed
for line in sys.stdin:
    moments[:] = [time.time()]
    try:
        credential = Credential.objects.get(username=line.strip())
        # Without a letter for each, which would take most of the time.
        credential.notifies_owners = credential.tells_owners = False
        credential.remove(by=Actor.system("trial"))
        print("@@" + json.dumps(moments[:3]), flush=True)
    except Exception as error:
        print("@@" + json.dumps(type(error).__name__), flush=True)
"""
ISSUING = """
import json
from audit.actor import Actor
from domains.models import Domain
domain = Domain.objects.get(name="{domain}", authorized_at__isnull=False)
by = Actor.system("trial")
made = [domain.credentials.issue(by=by, label=f"Site {{number}}") for number in range({number})]
print(json.dumps([[credential.username, password] for credential, password in made]))
"""


class Failed(Exception):
    """An act at the primary failed; str() is the exception's name."""


@dataclass(frozen=True)
class Deleted:
    """When an act and its COMMIT began, and that was done (seconds since 1970, by a clock that all share)."""

    username: str
    began: float
    committing: float
    committed: float


def issue(primary: Host, number: int) -> list[list[str]]:
    """Return so many new credentials as [username, password]."""
    script = ISSUING.format(domain=DOMAIN, number=number)
    made = subprocess.run(_shell(primary, script), check=True, capture_output=True, text=True)
    return json.loads(made.stdout)


class Deleting:
    """A process at the primary that deletes one credential after another."""

    def __init__(self, primary: Host):
        pipe = subprocess.PIPE
        # It logs each try to find a primary.
        streams = {"stdin": pipe, "stdout": pipe, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(_shell(primary, DELETING), **streams, text=True, bufsize=1)

    def delete(self, username: str) -> Deleted:
        """Raises Failed."""
        self._process.stdin.write(f"{username}\n")
        lines = iter(self._process.stdout.readline, "")
        answer = json.loads(next((line[2:] for line in lines if line.startswith("@@")), '"gone"'))
        if isinstance(answer, str):
            raise Failed(answer)
        return Deleted(username, *answer)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _shell(primary: Host, script: str) -> list[str]:
    return primary.enter("sendlayer-manage", "shell", "-v0", "-c", script)


def reconcile(dashboard: Host, primary: Host) -> str:
    """Revoke again what a failover lost, by what the dashboard's host has noted; return what the command says.

    On the new primary, the dashboard's role gets the owner's rights for this, as by sendlayer-reconcile.
    """
    as_admin(primary, "GRANT sendlayer_owner TO sendlayer")
    try:
        return dashboard.run(
            'PGOPTIONS="-c role=sendlayer_owner" sendlayer-manage reconcile /var/lib/sendlayer/events'
        )
    finally:
        as_admin(primary, "REVOKE sendlayer_owner FROM sendlayer")


class Lookup:
    """What Dovecot of a node asks: the function, as its role, through the socket. Not for several threads."""

    def __init__(self, node: Host):
        values = (node.files / "root/sendlayer.conf").read_text().splitlines()
        password = dict(line.partition("=")[::2] for line in values if "=" in line)["MAIL_PASSWORD"]
        self._arguments = {
            "host": str(node.files / "run/postgresql"),
            "dbname": "sendlayer",
            "autocommit": True,
        }
        self._arguments |= {"user": "sendlayer_mail", "password": password}
        self._connection = psycopg.connect(**self._arguments)

    def is_accepted(self, username: str) -> bool:
        """Raises psycopg.Error, as when the lease has ended."""
        query = 'SELECT "user" FROM smtp_passdb_answer(%s)'
        # A username with .0 is the answer for one that isn't there.
        return not self._connection.execute(query, [username]).fetchone()[0].endswith(".0")

    def close(self) -> None:
        self._connection.close()


def as_admin(host: Host, query: str) -> str:
    """What psql prints, as the superuser. Raises CalledProcessError."""
    command = ("runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-A", "-t", "-c", query, "sendlayer")
    done = subprocess.run(host.enter(*command), check=True, capture_output=True, text=True, cwd="/")
    return done.stdout.strip()
