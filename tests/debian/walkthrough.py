"""`python3 -m tests.debian.walkthrough RELEASE DATABASE`: do what deploy/README.md says, on a fresh Debian.

Its blocks of bash are run in order, in one shell, as root, with the Debian's own systemd, up to accepted mail
and a restore; then those of docs/dkim.md, and with --upgrade those of docs/dist-upgrade.md. Comments in them:
tests/debian/documents.py. With --listener instead the installation without Postfix, with --from 0.2.0 an
upgrade of that version with data (versions.py).
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.debian import machine, previous, versions
from tests.debian.documents import DKIM, README, UPGRADE, Block, blocks
from tests.debian.site import site_that_sends, summary
from tests.debian.terminal import PASSWORD, type_into

ACCEPTED = "250 2.0.0 Ok: queued"
# Mail stays in here: what Postfix accepts waits for this next hop, which the end of the walk starts.
VALUES = "--set RELAYHOST=[127.0.0.1]:10025 --set RESOLVERS=127.0.0.1 --set DATABASE={} --set SERVER={}"
# For nginx of an earlier version, whose README gets one by certbot.
CERTIFICATE = """\
mkdir -p /etc/letsencrypt/live/$DASHBOARD
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 9 -subj "/CN=$DASHBOARD" \\
    -addext "subjectAltName=DNS:$DASHBOARD" -keyout /etc/letsencrypt/live/$DASHBOARD/privkey.pem \\
    -out /etc/letsencrypt/live/$DASHBOARD/fullchain.pem 2>/dev/null
cp /etc/letsencrypt/live/$DASHBOARD/fullchain.pem /usr/local/share/ca-certificates/walk-through.crt
update-ca-certificates >/dev/null
grep -q "$DASHBOARD" /etc/hosts || echo "127.0.0.1 $DASHBOARD" >> /etc/hosts
"""
SINK = """\
mkdir -p /var/tmp/sink && cd /var/tmp/sink
systemd-run --quiet --unit=sink --working-directory=/var/tmp/sink smtp-sink -u root -d "%M." 127.0.0.1:10025 100
sleep 1; postqueue -f 2>&1
for _ in $(seq 60); do postqueue -p | grep -q 'queue is empty' && break; sleep 1; done
systemctl stop sink
postqueue -p | tail -1; ls | wc -l; grep -li ^DKIM-Signature: * | wc -l
"""
UNITS = """\
systemctl --failed --no-legend --plain
systemd-analyze verify /etc/systemd/system/sendlayer-* 2>&1 || true
"""
INSTEAD = {"rollback": "", "reboot": ""}
PULL = re.compile(r"^git .* pull .*\n", re.M)


def script(chosen: list[Block], *, values: str, twice: bool) -> str:
    """One script of all blocks, which says where each begins and ends at the first command that fails."""
    lines = ["set -eE", "trap 'echo \"@@failed: $BASH_COMMAND\"' ERR"]
    for number, block in enumerate(chosen):
        times = 2 if twice and "once" not in block.words else 1
        text = next((INSTEAD[word] for word in block.words & INSTEAD.keys()), PULL.sub("", block.text))
        if "install" in block.words:
            text = f"{text.rstrip()} {values}\n"
        for _ in range(times):
            lines += [f"echo @@block {number} $EPOCHSECONDS", text]
    return "\n".join([*lines, "echo @@end 0 $EPOCHSECONDS", ""])


@dataclass
class Walk:
    """What came of the blocks: commands that were run, messages that Postfix accepted, and what is wrong."""

    commands: int = 0
    accepted: int = 0
    faults: list[str] = field(default_factory=list)


def walk(debian: machine.Booted, folder: Path, chosen: list[Block], *, values="", twice=False) -> Walk:
    """Do the blocks, and print what they took."""
    path, log = folder / "root/walk-through.sh", Path(f"{folder}.log")
    path.write_text(script(chosen, values=values, twice=twice))
    path.chmod(0o600)
    began, done = time.time(), Walk()
    code, shown = type_into(debian.enter("bash", "/root/walk-through.sh"), log)
    parts = re.split(r"^@@(block|end) (\d+) (\d+)\n", shown, flags=re.M)
    for number, ended, output in zip(parts[2::4], parts[7::4], parts[4::4], strict=False):
        block, was_accepted = chosen[int(number)], done.accepted
        done.commands += block.commands
        done.accepted += output.count(ACCEPTED)
        done.faults += [
            f"{block.heading}: {text!r} was not shown" for text in block.shows if text not in output
        ]
        if done.accepted and not was_accepted:
            minutes = (int(ended) - began) / 60
            print(f"First accepted mail: {done.commands} commands, {minutes:.1f} minutes.")
    if code:
        failed = re.findall(r"^@@failed: (.*)", shown, re.M)
        done.faults.append(f"exit {code} at: {failed[-1] if failed else '?'}\n{shown[-1500:]}")
    print(f"In all: {done.commands} commands, {(time.time() - began) / 60:.1f} minutes.", flush=True)
    return done


def first_mail(folder: Path, options) -> Walk:
    """deploy/README.md, up to its end, and docs/dkim.md."""
    written = [block for page in (README, DKIM) for block in blocks(page.read_text())]
    chosen = [block for block in written if block.is_for(options.release, options.database)]
    with machine.booted(folder) as debian:
        values = VALUES.format(options.database, "postfix")
        done = walk(debian, folder, chosen, values=values, twice=options.twice)
        if not options.upgrade or done.faults:
            _end(debian, done)
    return done


def listener(folder: Path, options) -> Walk:
    """Install without Postfix, and without answers from a terminal; then upgrade to the same version."""
    written = {word: block for block in blocks(README.read_text()) for word in block.words}
    written["install"].text = f"export DJANGO_SUPERUSER_PASSWORD={PASSWORD}\n{written['install'].text}"
    with machine.booted(folder) as debian:
        values = VALUES.format(options.database, "listener")
        began = time.time()
        done = walk(debian, folder, [written["install"]], values=values, twice=options.twice)
        for _ in range(0 if done.faults else 2):
            with site_that_sends(debian, messages=3) as seen:
                pass
            if not done.accepted:
                print(f"First accepted mail: 1 command, {(time.time() - began) / 60:.1f} minutes.")
                done.faults += walk(debian, folder, [written["upgrade"]]).faults
            done.faults += [outcome for outcome, _ in seen if outcome != "accepted"]
            done.accepted += len(seen)
        kept = debian.run("ls /var/lib/sendlayer/outbox/new | wc -l").strip()
        print(f"Accepted: {done.accepted}, in the outbox: {kept}.")
        if int(kept) != done.accepted:
            done.faults.append("Mail was lost, or came twice.")
        done.faults += [f"units: {line}" for line in debian.run(UNITS).splitlines()]
    return done


def from_version(folder: Path, options) -> Walk:
    """The earlier version by its own README, with data; then there and back."""
    version, done = options.version, Walk()
    chosen = previous.readme(version, options.database, CERTIFICATE)
    previous.check_out(folder, version)
    with machine.booted(folder) as debian:
        done.faults += versions.install(debian, folder, version, chosen, walk)
        machine.clone_into(folder)
        if not done.faults:
            done.faults += versions.there_and_back(debian, folder, version)
        done.faults += [f"units: {line}" for line in debian.run(UNITS).splitlines()]
    return done


def upgrade(folder: Path, options, done: Walk) -> None:
    """docs/dist-upgrade.md, while a site sends on, and what arrives in the end."""
    chosen = [block for block in blocks(UPGRADE.read_text()) if block.is_for("trixie", options.database)]
    boots = [number for number, block in enumerate(chosen, 1) if "reboot" in block.words]
    for first, end in zip([0, *boots], [*boots, len(chosen)], strict=True):
        with machine.booted(folder) as debian:
            with site_that_sends(debian) as seen:
                now = walk(debian, folder, chosen[first:end])
            print(summary(seen))
            done.accepted += now.accepted + sum(outcome == "accepted" for outcome, _ in seen)
            done.faults += now.faults + [f"a site was told {code}" for code, _ in seen if code.startswith("5")]
            if end == len(chosen) or now.faults:
                return _end(debian, done)


def _end(debian: machine.Booted, done: Walk) -> None:
    """Let out the mail that waits, and look for units that failed."""
    if not done.accepted:
        done.faults.append("No mail was accepted.")
    else:
        with site_that_sends(debian, messages=3) as seen:
            pass
        done.faults += [f"at the end: {outcome}" for outcome, _ in seen if outcome != "accepted"]
        done.accepted += len(seen)
        queue, delivered, signed = debian.run(SINK).splitlines()
        print(f"Accepted: {done.accepted}, arrived: {delivered}, signed: {signed}. {queue}.")
        if int(signed) < len(seen):
            done.faults.append("OpenDKIM did not sign.")
        if int(delivered) != done.accepted:
            done.faults.append("Mail was lost, or came twice.")
    units = debian.run(UNITS)
    done.faults += [f"units: {line}" for line in units.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description="Do what deploy/README.md says on a fresh Debian.")
    parser.add_argument("release", choices=machine.RELEASES)
    parser.add_argument("database", choices=("pgsql", "sqlite"))
    parser.add_argument("--twice", action="store_true", help="each block two times in a row")
    parser.add_argument(
        "--upgrade", action="store_true", help="then docs/dist-upgrade.md, from bookworm to trixie"
    )
    parser.add_argument("--listener", action="store_true", help="only SendLayer's own listener")
    parser.add_argument(
        "--from",
        dest="version",
        choices=previous.COMMITS,
        help="install that version, fill it, upgrade it to this one, and go back",
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder of this Debian")
    options = parser.parse_args()
    machine.require()
    kind = "upgrade" if options.upgrade else "listener" if options.listener else options.version or "walk"
    do = listener if options.listener else from_version if options.version else first_mail
    with machine.fresh(
        options.release, f"{kind}-{options.release}-{options.database}", keep=options.keep
    ) as folder:
        done = do(folder, options)
        if options.upgrade and not done.faults:
            upgrade(folder, options, done)
    for fault in done.faults:
        print(f"WRONG {fault}", file=sys.stderr)
    return 1 if done.faults else 0


if __name__ == "__main__":
    sys.exit(main())
