"""A Debian 13 with Podman, in which the images are built and run.

No registry is at hand: the base image is what debootstrap makes, and PostgreSQL, Redis and Caddy come from
stand_ins/. Podman there does without cgroup controllers (pids_limit), with the limits of this machine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.debian import documents, machine

HERE = Path(__file__).parent
DOCUMENT = machine.ROOT / "docs/container.md"
NSPAWN = ("--capability=all", "--system-call-filter=add_key keyctl bpf @mount @keyring")
PACKAGES = (
    "podman buildah crun netavark aardvark-dns catatonit nftables docker-compose curl python3-venv git make"
)
CONTAINERS_CONF = """\
[containers]
pids_limit = 0
default_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]
[engine]
compose_warning_logs = false
"""
SLIM = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists", "var/log")
SECONDS = 180
OWNER, PASSWORD = "you@example.com", "correct-horse-battery-9"


@dataclass
class Host:
    """The Debian with Podman, booted; `folder` is its root from outside."""

    debian: machine.Booted
    folder: Path

    def run(self, script: str) -> str:
        """Run a script of bash in the clone; return what it wrote. Prints what a failure wrote."""
        try:
            return self.debian.run(f"cd /root/sendlayer\n{script}")
        except subprocess.CalledProcessError as error:
            print(error.stdout[-4000:], error.stderr[-4000:])
            raise

    def json(self, script: str):
        return json.loads(self.run(script))

    def document(self, heading: str, number: int = 0) -> str:
        """Run a block of docs/container.md; what would ask on a terminal is answered."""
        blocks = [block for block in documents.blocks(DOCUMENT.read_text()) if block.heading == heading]
        text = re.sub(r"exec (?!-)", "exec -T ", blocks[number].text)
        text = text.replace("exec -it", f"exec -T -e DJANGO_SUPERUSER_PASSWORD={PASSWORD}")
        return self.run(text.replace("createsuperuser", "createsuperuser --noinput"))

    def visit(self, *arguments: str) -> dict:
        """Run a visitor (visitor.py) in the network of the Debian; return what it reports."""
        done = subprocess.run(self.visitor(*arguments), cwd=machine.ROOT, stdout=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout.splitlines()[-1])

    def visitor(self, *arguments: str) -> list[str]:
        inside = ["nsenter", f"--target={self.debian.leader}", "--net"]
        return [*inside, sys.executable, "-m", "tests.image.visitor", *arguments]

    def is_healthy(self, container: str) -> bool:
        """What the health check says now, without the retries after which a container counts as unhealthy."""
        command = self.debian.enter("podman", "healthcheck", "run", container)
        return subprocess.run(command, capture_output=True).returncode == 0

    @contextmanager
    def hanging(self, container: str):
        """Stop a container's first process and its workers, without an end, until the block ends."""
        first = self.run(f"podman inspect -f '{{{{.State.Pid}}}}' {container}").strip()
        processes = f"{first} $(cat /proc/{first}/task/{first}/children)"
        self.run(f"kill -STOP {processes}")
        try:
            yield
        finally:
            self.run(f"kill -CONT {processes}")

    def wait_until(self, script: str) -> None:
        """Run the script each half second until it succeeds."""
        deadline = time.monotonic() + SECONDS
        while subprocess.run(self.debian.enter("bash", "-ec", script), capture_output=True).returncode:
            assert time.monotonic() < deadline, script
            time.sleep(0.5)


@contextmanager
def booted():
    """Yield a Host in which both images and the stand-ins are built."""
    machine.require()
    with machine.fresh("trixie", "image") as folder:
        _copy_work(folder)
        (folder / "etc/containers/containers.conf.d").mkdir(parents=True)
        (folder / "etc/containers/containers.conf.d/test.conf").write_text(CONTAINERS_CONF)
        with machine.booted(folder, *NSPAWN) as debian:
            host = Host(debian, folder)
            host.run(
                "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq\n"
                f"apt-get install -y -qq --no-install-recommends {PACKAGES} > /root/apt.log 2>&1\n"
                "systemctl enable -q --now podman.socket"
            )
            _import_base(host)
            _build(host)
            yield host


def _copy_work(folder: Path) -> None:
    """Lay the files of this work tree over the clone, with those that aren't committed."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=machine.ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        source, target = machine.ROOT / name, folder / "root/sendlayer" / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _import_base(host: Host) -> None:
    """A Debian 13 like debian:trixie-slim: minbase, without documents and lists of packages."""
    base = machine.ROOTS / "trixie-slim.tar"
    if not base.exists():
        part = machine.ROOTS / "trixie-slim.part"
        subprocess.run(["rm", "-rf", "--one-file-system", part], check=True)
        subprocess.run(
            ["debootstrap", "--variant=minbase", "trixie", part], check=True, stdout=subprocess.DEVNULL
        )
        for name in SLIM:
            for path in (part / name).iterdir():
                subprocess.run(["rm", "-rf", path], check=True)
        subprocess.run(["tar", "-C", part, "--numeric-owner", "-cf", f"{base}.part", "."], check=True)
        Path(f"{base}.part").rename(base)
        subprocess.run(["rm", "-rf", "--one-file-system", part], check=True)
    shutil.copy(base, host.folder / "root/base.tar")
    host.run("podman import --quiet /root/base.tar debian:trixie-slim; rm /root/base.tar")


def _build(host: Host) -> None:
    """Build all images; `podman build` gets what pip needs on this machine to reach its index."""
    (host.folder / "root/pip.conf").write_text("[global]\ncert = /run/ca.crt\n")
    mounts = (
        "--volume /etc/ssl/certs/ca-certificates.crt:/run/ca.crt:ro --volume /root/pip.conf:/etc/pip.conf:ro"
    )
    began = time.monotonic()
    # The document's first command of this heading, with those mounts.
    host.run(
        f"make image BUILD_OPTIONS='{mounts}' > /root/build.log 2>&1 || {{ tail -50 /root/build.log; exit 1; }}"
    )
    print(f"Both images: built in {time.monotonic() - began:.0f} s", flush=True)
    host.run(
        "cp -r tests/image/stand_ins /root/stand-ins; cd /root/stand-ins\n"
        "python3 -m venv caddy-venv\n"
        "caddy-venv/bin/pip install -q --require-hashes --only-binary :all: -r requirements.txt\n"
        "mv caddy-venv/bin/caddy .; rm -r caddy-venv\n"
        "for target in postgres:17 redis:8 caddy:2; do\n"
        "    podman build -q --format docker --target ${target%:*} -t $target . > /root/$target.log 2>&1\n"
        "done"
    )


def previous_version() -> str:
    """The newest commit whose CHANGELOG.md begins with a version, not counting what is unreleased."""
    from sendlayer import __version__

    command = ["git", "log", f"-S## {__version__}", "--format=%H", "--", "CHANGELOG.md"]
    return subprocess.run(command, cwd=machine.ROOT, capture_output=True, text=True, check=True).stdout.split()[
        0
    ]


def manage(code: Path, var_dir: Path, settings: dict[str, str], *arguments: str) -> str:
    """Run manage.py of another version with this machine's libraries."""
    var_dir.mkdir(exist_ok=True)
    environment = settings | {"PATH": os.environ["PATH"], "VAR_DIR": str(var_dir), "HTTPS_ONLY": "no"}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
