"""An earlier version, installed by the deploy/README.md of its commit, with SMTP users in each state.

For `--from 0.2.0` of walkthrough.py. No comments in that README say which blocks belong where: HEADINGS does.
"""

import re
import subprocess
from pathlib import Path

from tests.debian import machine
from tests.debian.documents import Block, blocks

# The newest commit of each version: there are no tags.
COMMITS = {"0.2.0": "4c2a543"}
# Only with that database; not at all.
HEADINGS = {"2a. PostgreSQL": "pgsql", "2b. SQLite": "sqlite"}
SKIPPED = {"Support staff", "8. Upgrading, and going back"}
EDITS = (
    (r"^RELAYHOST= .*$", "RELAYHOST=[127.0.0.1]:10025"),
    (r"9\.9\.9\.9,1\.1\.1\.1", "127.0.0.1"),
    # These commands end with an error on purpose.
    (r"^(as_mail .*credentials_credential.*)$", r"\1 || true"),
)
CERTBOT = re.compile(r"^certbot .*$", re.M)
OWNER = "you@example.com"
DATA = """\
from datetime import timedelta
from audit.actor import Actor
from domains.models import Domain
by = Actor.system("walk-through")
for domain in Domain.objects.filter(authorized_at__isnull=False).order_by("name"):
    def issue(label):
        return domain.credentials.issue(by=by, label=label)
    def say(credential, password, code):
        print("login:", domain.name, credential.username, password, code)
    for number in range(8):
        credential, password = issue(f"Site {number}")
        say(credential, password, 235)
    credential, password = issue("Rotated")
    new = credential.reset_password(by=by, keep_old_for=timedelta(days=7))
    say(credential, password, 235)
    say(credential, new, 235)
    credential, password = issue("Reset")
    new = credential.reset_password(by=by)
    say(credential, password, 535)
    say(credential, new, 235)
    credential, password = issue("Suspended")
    credential.suspend(by=by, reason="A test")
    say(credential, password, 535)
    credential, password = issue("Elsewhere")
    credential.set_networks("192.0.2.0/24", by=by)
    say(credential, password, 535)
    credential, password = issue("Deleted")
    credential.remove(by=by)
    say(credential, password, 535)
"""
# Each line of /root/logins at 587: domain, username, password, and the code that its AUTH has to get.
TRY_LOGINS = """\
import smtplib, ssl
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
right = 0
for line in open("/root/logins"):
    domain, username, password, code = line.split()
    with smtplib.SMTP("127.0.0.1", 587, timeout=60) as client:
        client.starttls(context=context)
        try:
            seen = client.login(username, password)[0]
        except smtplib.SMTPAuthenticationError as error:
            seen = error.smtp_code
        if seen == int(code):
            right += 1
        else:
            print("WRONG", username, "got", seen, "instead of", code)
print(right, "logins as expected")
"""


def readme(version: str, database: str, certificate: str) -> list[Block]:
    """The blocks of that version's deploy/README.md, up to its backups, for this database."""
    show = ("git", "-C", machine.ROOT, "show", f"{COMMITS[version]}:deploy/README.md")
    document = subprocess.run(show, check=True, capture_output=True, text=True).stdout
    chosen = [
        block
        for block in blocks(document)
        if HEADINGS.get(block.heading, database) == database and block.heading not in SKIPPED
    ]
    for block in chosen:
        for pattern, instead in EDITS:
            block.text = re.sub(pattern, instead, block.text, flags=re.M)
        block.text = CERTBOT.sub(lambda _: certificate, block.text)
    # Nothing is restored, and nobody watches a pager.
    chosen[0].text = f"export SYSTEMD_PAGER=cat\n{chosen[0].text}"
    return [block for block in chosen if "sendlayer-restore --replace" not in block.text]


def check_out(folder: Path, version: str) -> None:
    """Put that version into /root/sendlayer."""
    clone = folder / "root/sendlayer"
    subprocess.run(["git", "-C", clone, "checkout", "--quiet", "--detach", COMMITS[version]], check=True)


def fill(debian: machine.Booted) -> None:
    """Add domains, SMTP users in each state and use; their logins are in /root/logins."""
    for name in ("example.net", "example.org"):
        debian.run(f"sendlayer-manage authorize_domain {name} --owner {OWNER}")
    # Letters are printed there, too.
    made = f"sendlayer-manage shell -v0 <<'END' | sed -n 's/^login: //p' > /root/logins\n{DATA}END"
    debian.run(f"umask 077; {made}")


def try_logins(debian: machine.Booted) -> list[str]:
    """Log in as each of them; print how many got what they should, return what is wrong."""
    *wrong, summary = debian.run(f"python3 - <<'END'\n{TRY_LOGINS}END").splitlines()
    print(summary, flush=True)
    return wrong
