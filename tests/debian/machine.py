"""A Debian of its own in a folder: built by debootstrap, run by systemd-nspawn. Needs root.

Nothing of it outlives the block: systemd-nspawn's namespaces take processes and mounts with them. Only what
debootstrap built is kept, in DEBIAN_ROOTS, and copied for each run.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RELEASES = ("bookworm", "trixie")
ROOTS = Path(os.environ.get("DEBIAN_ROOTS", "/var/tmp/sendlayer-debian"))  # noqa: S108 (large, and kept)
PACKAGES = "systemd-sysv,dbus,iproute2,ca-certificates,git,make"
PROGRAMS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "slirp4netns": "slirp4netns"}
BOOT_SECONDS = 60
END_SECONDS = 20
# Of version 2: beside those of version 1, or alone.
CGROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
RUN_SECONDS = 1200
# No unit or scope of a systemd outside, which need not be there; cgroups as Debian 13 wants them.
NSPAWN = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit")
NSPAWN_ENVIRONMENT = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
# What this machine's clients of apt and pip need to get out, if anything.
CLIENT_SETTINGS = ("etc/pip.conf", "usr/local/share/ca-certificates")
CLEAN = (
    "HOME=/root",
    "LANG=C.UTF-8",
    "TERM=dumb",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)


def require() -> None:
    """Exit with a sentence unless this is root on a machine with the programs needed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    if os.geteuid() != 0:
        sys.exit("This needs root: debootstrap and systemd-nspawn do.")
    if missing := [package for program, package in PROGRAMS.items() if not shutil.which(program)]:
        sys.exit(f"Install what is missing: apt-get install {' '.join(missing)}")


@contextmanager
def fresh(release: str, name: str, *, keep: bool = False):
    """Yield the folder of a new, minimal Debian with a clone of this repository in /root/sendlayer."""
    folder = ROOTS / name
    _remove(folder)
    subprocess.run(["cp", "-a", "--reflink=auto", _built(release), folder], check=True)
    try:
        _let_out(folder)
        clone_into(folder)
        yield folder
    finally:
        if not keep:
            _remove(folder)


def _built(release: str) -> Path:
    """What debootstrap made of the release, once."""
    folder = ROOTS / release
    if not folder.exists():
        ROOTS.mkdir(parents=True, exist_ok=True)
        part = ROOTS / f"{release}.part"
        _remove(part)
        print(f"Building {folder} by debootstrap …", flush=True)
        with open(ROOTS / f"{release}.log", "w") as log:
            command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, part]
            if subprocess.run(command, stdout=log, stderr=log).returncode:
                sys.exit(f"debootstrap failed: {log.name}")
        part.rename(folder)
    return folder


def _let_out(folder: Path) -> None:
    for name in CLIENT_SETTINGS:
        source, target = Path("/", name), folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, target)
    # Servers of tests listen at 127.0.0.1 alone, and some clients take the first address of a name only.
    (folder / "etc/hosts").write_text("127.0.0.1\tlocalhost\n")
    # It needn't survive a power cut.
    (folder / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    subprocess.run(["chroot", folder, "update-ca-certificates"], check=True, capture_output=True)


def clone_into(folder: Path) -> None:
    """Put the commit that is checked out here into /root/sendlayer."""
    clone = folder / "root/sendlayer"
    _remove(clone)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)


def _remove(folder: Path) -> None:
    if folder.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


@dataclass
class Booted:
    """A Debian that runs its own systemd, whose process is `leader` out here."""

    leader: int

    def enter(self, *command: str) -> list[str]:
        """The command line that runs a command in it, as root with a clean environment."""
        settings = [f"{name}={os.environ[name]}" for name in PROXIES if name in os.environ]
        namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        return [
            "nsenter",
            f"--target={self.leader}",
            *namespaces,
            "--",
            "env",
            "-i",
            *CLEAN,
            *settings,
            *command,
        ]

    def run(self, script: str) -> str:
        """Run a script of bash; return what it wrote. Raises CalledProcessError, TimeoutExpired."""
        command = self.enter("bash", "-ec", script)
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=RUN_SECONDS)
        return done.stdout

    def try_to(self, script: str) -> tuple[int, str]:
        """Run a script of bash that may fail; return its exit code and what it wrote. Raises TimeoutExpired."""
        done = subprocess.run(
            self.enter("bash", "-c", script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
        )
        return done.returncode, done.stdout


@contextmanager
def booted(folder: Path, *more: str, namespace: str = ""):
    """Boot the folder's systemd, in a network of its own with a way out; yield it as Booted.

    The network is the one that `ip netns` calls `namespace`, if given. `more` are options of systemd-nspawn.
    """
    # slirp4netns answers DNS there.
    (folder / "etc/resolv.conf").write_text("nameserver 10.0.2.3\n")
    cgroup = _own_cgroup(folder.name)
    where = f"--network-namespace-path=/run/netns/{namespace}" if namespace else "--private-network"
    options = ("--boot", "--console=pipe", where, "--resolv-conf=off", f"--directory={folder}")
    with open(f"{folder}.console", "w") as log:
        nspawn = subprocess.Popen(
            ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup, *NSPAWN, *options, *more],
            env=os.environ | NSPAWN_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    network = None
    try:
        machine = Booted(_leader(nspawn))
        way_out = (
            "slirp4netns",
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            str(machine.leader),
            "tap0",
        )
        network = subprocess.Popen(way_out, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        is_up = machine.enter("systemctl", "is-active", "--quiet", "multi-user.target")
        _wait_for(lambda: subprocess.run(is_up, stderr=subprocess.DEVNULL).returncode == 0)
        yield machine
    finally:
        if network:
            network.terminate()
            network.wait()
        _end(nspawn)
        subprocess.run(
            ["find", cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"], stderr=subprocess.DEVNULL
        )


def _own_cgroup(name: str) -> Path:
    """Make a cgroup below ours: two systemds in the same one would end each other's services."""
    root = next(path for path in CGROUPS if (path / "cgroup.procs").exists())
    (ours,) = re.findall(r"^0::/(.*)$", Path("/proc/self/cgroup").read_text(), re.M)
    folder = root / ours / f"debian-{name}"
    folder.mkdir(exist_ok=True)
    return folder


def _leader(nspawn: subprocess.Popen) -> int:
    """The first process in it, once that is systemd."""
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")

    def found() -> bool:
        pids = children.read_text().split()
        return bool(pids) and Path(f"/proc/{pids[0]}/comm").read_text() == "systemd\n"

    _wait_for(found)
    return int(children.read_text().split()[0])


def _end(nspawn: subprocess.Popen) -> None:
    for ask in (
        nspawn.terminate,
        nspawn.terminate,
        nspawn.kill,
    ):  # systemd in it shuts down; at once; without a word
        ask()
        try:
            nspawn.wait(END_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue


def _wait_for(condition) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not boot within {BOOT_SECONDS} s.")
        time.sleep(0.2)
