"""From an earlier version to this one and back, with data: `walkthrough.py RELEASE DATABASE --from 0.2.0`.

That version is installed by its own deploy/README.md and filled. An upgrade whose last migration fails
leaves it serving. The upgrade succeeds while a site sends every 2 seconds. Then SMTP users are revoked, and
still refused after the rollback.
"""

import time
from pathlib import Path

from sendlayer import __version__ as NEWEST
from tests.debian import machine, previous
from tests.debian.documents import README, Block, blocks
from tests.debian.site import site_that_sends, summary

FAILING = """\
cd /root/sendlayer
last=$(ls credentials/migrations/0*.py | sort | tail -1)
cat > credentials/migrations/9999_fails.py <<END
from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("half-way")


class Migration(migrations.Migration):
    dependencies = [("credentials", "$(basename "${last%.py}")")]
    operations = [migrations.RunSQL("CREATE TABLE half_way (id integer)"), migrations.RunPython(fail)]
END
git add credentials
git -c user.name=test -c user.email=test@example.com commit --quiet --message "Fail"
"""
MENDED = "git -C /root/sendlayer reset --quiet --hard HEAD^"
SERVES = """\
set -eo pipefail
sed -n 's/^__version__ = //p' /opt/sendlayer/sendlayer/__init__.py
systemctl is-active sendlayer-{web,reports,check-domains.timer,tidy.timer} postfix dovecot
page="curl -sI --retry 30 --retry-connrefused http://127.0.0.1:8000/"
$page -H "Host: mail.example.com" -H "X-Forwarded-Proto: https" | head -1
sendlayer-manage verify_store
# However a migration ended, the dashboard's role owns nothing.
is_owner="SELECT pg_has_role('sendlayer', 'sendlayer_owner', 'MEMBER')"
[ ! -d /etc/postgresql ] || [ "$(runuser -u postgres -- psql -X -A -t -c "$is_owner" sendlayer)" = f ]
sendlayer-manage verify_audit > /dev/null && echo "chains hold"
"""
# A file that the operator has changed.
CHANGED = "/etc/postfix/master.cf"
CHANGE = f"echo '# mine' >> {CHANGED}; touch /var/tmp/mark"
IS_LEFT = f"tail -1 {CHANGED} | grep -x '# mine' && cmp {CHANGED}.dist /opt/sendlayer/deploy/postfix/master.cf"
# What a trial run must not touch.
TOUCHED = "find /etc /opt /root /usr/local /var/lib/sendlayer/.env /var/backups -newer /var/tmp/mark -type f"
# Of example.net: their logins have to be refused after a rollback, too.
REVOKE = """\
from audit.actor import Actor
from credentials.models import Credential
by = Actor.system("walk-through")
sites = Credential.objects.filter(domain__name="example.net", label__startswith="Site")
first, second, third = sites.order_by("label")[:3]
first.reset_password(by=by)
second.remove(by=by)
third.suspend(by=by, reason="A test")
print("revoked:", first.username, second.username, third.username)
"""


def _shell(debian: machine.Booted, code: str) -> str:
    return debian.run(f"sendlayer-manage shell -v0 <<'END'\n{code}END")


def _serves(debian: machine.Booted, version: str) -> list[str]:
    """What is wrong with a host that has to serve this version; [] when nothing is."""
    code, said = debian.try_to(SERVES)
    wanted = (f'"{version}"', "302 Found", "everything agrees", "chains hold")
    missing = [text for text in wanted if text not in said]
    wrong = [f"{version} does not serve, missing {missing}:\n{said}"] if code or missing else []
    return wrong + previous.try_logins(debian)


def _command(word: str) -> str:
    """The block of deploy/README.md that is marked with this word; what it pulls is there already."""
    (block,) = (block for block in blocks(README.read_text()) if word in block.words)
    return "\n".join(line for line in block.text.splitlines() if " pull " not in line)


def _run(debian: machine.Booted, folder: Path, title: str, script: str, *, fails: bool = False) -> list[str]:
    began = time.time()
    code, said = debian.try_to(script)
    with open(f"{folder}.log", "a") as log:
        log.write(f"# {title}: exit {code}\n{said}\n")
    print(f"{title}: exit {code}, {(time.time() - began) / 60:.1f} minutes.", flush=True)
    return [] if bool(code) == fails else [f"{title}: exit {code}\n{said[-3000:]}"]


def _try_dry(debian: machine.Booted, word: str) -> list[str]:
    """What a trial run of the command says wrong, or changes."""
    script = f"touch /var/tmp/mark; {_command(word).strip()} --dry-run; {TOUCHED} ! -name '*.pyc'"
    said = debian.try_to(script)[1].splitlines()
    print(*(line for line in said if not line.startswith("would: ")), sep="\n", flush=True)
    return [f"--dry-run changed {line}" for line in said if line.startswith("/")]


def install(debian: machine.Booted, folder: Path, version: str, chosen: list[Block], walk) -> list[str]:
    """Install that version by the blocks of its README, and fill it. Return what is wrong."""
    done = walk(debian, folder, chosen)
    if done.faults:
        return done.faults
    previous.fill(debian)
    return _serves(debian, version)


def there_and_back(debian: machine.Booted, folder: Path, version: str) -> list[str]:
    """Do an upgrade that fails, the upgrade, and the rollback. Return what is wrong."""
    upgrade = _command("upgrade")
    debian.run(FAILING)
    debian.run(CHANGE)
    faults = _try_dry(debian, "upgrade")
    faults += _run(debian, folder, "Upgrade with a migration that fails", upgrade, fails=True)
    faults += _serves(debian, version)
    debian.run(MENDED)
    with site_that_sends(debian) as seen:
        faults += _run(debian, folder, "Upgrade", upgrade)
    print(summary(seen))
    faults += [f"a site was told {code}" for code, _ in seen if code.startswith("5")]
    faults += _serves(debian, NEWEST)
    faults += _run(debian, folder, "What the operator had changed is left", IS_LEFT)
    faults += _run(debian, folder, "The same upgrade again", upgrade)
    revoked = _shell(debian, REVOKE).split("revoked:")[1].split()[:3]
    faults += _try_dry(debian, "rollback")
    faults += _run(debian, folder, "Rollback", f"{_command('rollback').strip()} --yes")
    for username in revoked:
        debian.run(f"sed -i '/ {username} /s/235$/535/' /root/logins")
    return faults + _serves(debian, version)
