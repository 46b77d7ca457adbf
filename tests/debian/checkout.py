"""`python3 -m tests.debian.checkout RELEASE`: this commit on a fresh Debian: `make run`, then tests."""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.debian import machine

TARGETS = ("test-mail-sqlite", "test-mail-postgresql")
PREREQUISITES = "smtp-client postgresql mail-servers mail-clients"
# From bare: make installs Python and the rest.
START = """\
cd /root/sendlayer
make run > /root/run.log 2>&1 &
echo $! > /root/run.pid
until grep -q Ctrl-C /root/run.log; do
    kill -0 $! || { cat /root/run.log; exit 1; }
    sleep 1
done
"""
VISIT = "cd /root/sendlayer && .venv/bin/python manage.py shell -v0 < tests/debian/visit.py"
STOP = """\
kill -TERM $(cat /root/run.pid)
until ! ss -Hltn | grep -E ':(8000|2587) '; do sleep 1; done
"""
CLOSING = re.compile(r"^=+ (.*\d (?:passed|failed|error).*) =+$", re.M)


def main() -> int:
    parser = argparse.ArgumentParser(description="`make run` and tests of this commit on a fresh Debian.")
    parser.add_argument("release", choices=machine.RELEASES)
    parser.add_argument("targets", nargs="*", default=TARGETS, help="of make; the tests of Postfix and Dovecot")
    options = parser.parse_args()
    machine.require()
    with (
        machine.fresh(options.release, f"test-{options.release}") as folder,
        machine.booted(folder) as debian,
    ):
        return max(_run(debian), _test(debian, options.targets, Path(f"{folder}.log")))


def _run(debian: machine.Booted) -> int:
    began = time.time()
    try:
        debian.run(START)
        print(f"make run: ready after {(time.time() - began) / 60:.1f} minutes;", end=" ", flush=True)
        print(debian.run(VISIT).strip(), end="; ", flush=True)
        debian.run(STOP)
        print("stopped.", flush=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"WRONG {error}\n{error.stdout}\n{error.stderr}")
        return 1
    return 0


def _test(debian: machine.Booted, targets, log: Path) -> int:
    """Make each target; print how many passed, and the whole output of one that failed."""
    failed = 0
    for target in targets:
        script = f"cd /root/sendlayer && make {PREREQUISITES} > /dev/null && exec make {target}"
        with log.open("w") as output:
            done = subprocess.run(debian.enter("bash", "-c", script), stdout=output, stderr=subprocess.STDOUT)
        said = log.read_text(errors="replace")
        print(f"{target}: {'; '.join(CLOSING.findall(said)) or 'no result'}", flush=True)
        if done.returncode:
            print(said)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
