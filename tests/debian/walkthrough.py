"""`python3 -m tests.debian.walkthrough RELEASE DATABASE`: do what deploy/README.md says, on a fresh Debian.

Its blocks of bash are run in order, in one shell, as root, with the Debian's own systemd, up to accepted mail
and a restore. A comment before a block says more:

<!-- walk-through: WORD… -->   bookworm, trixie, pgsql, sqlite: only there; skip: not at all; once: also with
                               --twice; certificate: instead, a certificate that this machine trusts is made
<!-- shows: TEXT -->           its output must contain this
"""

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.debian import machine

README = machine.ROOT / "deploy/README.md"
BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```bash\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.*)$", re.M)
COMMENT = re.compile(r"<!-- (walk-through|shows): (.*?) -->")
ONLY = {"bookworm", "trixie", "pgsql", "sqlite"}
WORDS = ONLY | {"skip", "once", "certificate"}
PASSWORD = "correct-horse-battery-9"
# Prompt → answer.
PROMPTS = {
    r"Password: $": PASSWORD,
    r"Password \(again\): $": PASSWORD,
    r"\[yes/no\] ?$|yes to go on.*$": "yes",
}
SILENT_SECONDS = 300
ACCEPTED = "250 2.0.0 Ok: queued"
# Mail stays in here: what Postfix accepts waits for this next hop, which the end of the walk starts.
VALUES = "RELAYHOST=[127.0.0.1]:10025\nRESOLVERS=127.0.0.1\nDATABASE={database}\n"
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
postqueue -p | tail -1; ls | wc -l
"""


@dataclass
class Block:
    """Commands of the README under a heading, and what its comments say of them."""

    heading: str
    text: str
    words: set[str] = field(default_factory=set)
    shows: list[str] = field(default_factory=list)

    @property
    def commands(self) -> int:
        """How many commands a person pastes: bash reads each as complete."""
        number, pending = 0, ""
        for line in self.text.splitlines(keepends=True):
            pending += line
            if not pending.strip() or pending.lstrip().startswith("#"):
                pending = ""
            elif is_complete(pending):
                number, pending = number + 1, ""
        return number

    def is_for(self, release: str, database: str) -> bool:
        only = self.words & ONLY
        return "skip" not in self.words and only <= {release, database}


def is_complete(text: str) -> bool:
    """Whether bash would run the text as it is, rather than wait for more."""
    if text.rstrip("\n").endswith("\\"):
        return False
    read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    return read.returncode == 0 and not read.stderr


def blocks(document: str) -> list[Block]:
    """The blocks of bash in a document. Raises ValueError at a word that is unknown."""
    found = []
    # A comment in a block looks like a heading.
    headings = list(HEADING.finditer(re.sub(r"^```.*?^```$", _blank, document, flags=re.M | re.S)))
    for match in BLOCK.finditer(document):
        block = Block([head[1] for head in headings if head.start() < match.start()][-1], match[2])
        for kind, said in COMMENT.findall(match[1]):
            if kind == "shows":
                block.shows.append(said)
            else:
                block.words |= set(said.replace(",", " ").split())
        if unknown := block.words - WORDS:
            raise ValueError(f"{block.heading}: unknown words {unknown}")
        found.append(block)
    return found


def _blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def script(chosen: list[Block], *, values: str, twice: bool) -> str:
    """One script of all blocks, which says where each begins and ends at the first command that fails."""
    lines = ["set -eE", "trap 'echo \"@@failed: $BASH_COMMAND\"' ERR"]
    for number, block in enumerate(chosen):
        times = 2 if twice and "once" not in block.words else 1
        text = CERTIFICATE if "certificate" in block.words else block.text
        for _ in range(times):
            lines += [f"echo @@block {number} $EPOCHSECONDS", text]
        if number == 0:
            lines += [f"cat >> /root/sendlayer.conf <<'END'\n{values}END", ". /root/sendlayer.conf"]
    return "\n".join([*lines, "echo @@end 0 $EPOCHSECONDS", ""])


def type_into(command: list[str], log: Path) -> tuple[int, str]:
    """Run a command on a terminal and answer its prompts; return its exit code and what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    shown, answered = "", 0
    with log.open("w") as copy:
        while select.select([terminal], [], [], SILENT_SECONDS)[0]:
            try:
                data = os.read(terminal, 65536).decode(errors="replace").replace("\r", "")
            except OSError:  # the terminal's other end is closed
                break
            copy.write(data)
            copy.flush()
            shown += data
            for prompt, answer in PROMPTS.items():
                if re.search(prompt, shown[answered:][-200:]):
                    answered = len(shown)
                    os.write(terminal, f"{answer}\n".encode())
                    break
        else:
            os.kill(pid, signal.SIGKILL)
            shown += f"\nsilent for {SILENT_SECONDS} s\n"
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def walk(debian: machine.Booted, folder: Path, chosen: list[Block], *, values: str, twice: bool) -> list[str]:
    """Do the blocks; print what they took, and return what is wrong."""
    path = folder / "root/walk-through.sh"
    path.write_text(script(chosen, values=values, twice=twice))
    path.chmod(0o600)
    began = time.time()
    code, shown = type_into(debian.enter("bash", "/root/walk-through.sh"), Path(f"{folder}.log"))
    # Output of each block, of its last run.
    parts = re.split(r"^@@(block|end) (\d+) (\d+)\n", shown, flags=re.M)
    faults, commands, first = [], 0, None
    for number, ended, output in zip(parts[2::4], parts[7::4], parts[4::4], strict=False):
        block = chosen[int(number)]
        commands += block.commands if not twice else 0
        faults += [f"{block.heading}: {text!r} was not shown" for text in block.shows if text not in output]
        if ACCEPTED in output and not first:
            first = commands, int(ended) - began
    if first:
        print(f"First accepted mail: {first[0]} commands, {first[1] / 60:.1f} minutes.")
    else:
        faults.append("No mail was accepted.")
    if code:
        failed = re.findall(r"^@@failed: (.*)", shown, re.M)
        faults.append(f"exit {code} at: {failed[-1] if failed else '?'}\n{shown[-1500:]}")
    print(f"In all: {commands} commands, {(time.time() - began) / 60:.1f} minutes, exit {code}. {folder}.log")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Do what deploy/README.md says on a fresh Debian.")
    parser.add_argument("release", choices=machine.RELEASES)
    parser.add_argument("database", choices=("pgsql", "sqlite"))
    parser.add_argument("--twice", action="store_true", help="each block two times in a row")
    parser.add_argument("--keep", action="store_true", help="keep the folder of this Debian")
    options = parser.parse_args()
    machine.require()
    chosen = [block for block in blocks(README.read_text()) if block.is_for(options.release, options.database)]
    values = VALUES.format(database=options.database)
    name = f"walk-{options.release}-{options.database}"
    with machine.fresh(options.release, name, keep=options.keep) as folder, machine.booted(folder) as debian:
        faults = walk(debian, folder, chosen, values=values, twice=options.twice)
        if not faults:
            queue, delivered = debian.run(SINK).splitlines()
            print(f"Delivered to the next hop: {delivered}. {queue}.")
        failed = debian.run("systemctl --failed --no-legend --plain || true").strip()
        faults += [f"failed unit: {line}" for line in failed.splitlines()]
    for fault in faults:
        print(f"WRONG {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
