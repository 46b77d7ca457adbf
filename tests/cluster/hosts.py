"""Hosts of a cluster: a Debian each, booted in a network namespace of its own, joined by a bridge. Needs root.

Everything is in a mount and process namespace of the test (see `apart`), so that nothing outlives it.
"""

import hashlib
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.debian import machine

RELEASE = "bookworm"
# Documentation addresses (RFC 5737), in namespaces that nothing else is in.
ADDRESSES = {"primary": "192.0.2.1", "mail1": "192.0.2.2", "mail2": "192.0.2.3"}
# Postfix's limits are for one address and minute.
SITES = [f"192.0.2.{number}" for number in range(101, 151)]
# What the walk-through installs, once for all hosts, whose apt-get then finds it there.
PACKAGES = (
    "postgresql postfix postfix-pgsql dovecot-core dovecot-pgsql python3-venv openssl curl swaks"
    " libnet-ssleay-perl nginx-light certbot"
)
# Tells systemd to go without stopping anything.
POWER_OFF = signal.SIGRTMIN + 14
PREPARE = f"""
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update; apt-get -qq install -y --no-install-recommends {PACKAGES}
rm /usr/sbin/policy-rc.d
python3 -m venv /tmp/venv
/tmp/venv/bin/python -m pip install --quiet --require-hashes -r /root/requirements.txt
rm -r /tmp/venv
"""


def apart() -> None:
    """Run this program again in mount and process namespaces, unless it is there already."""
    machine.require()
    if os.environ.get("IN_NAMESPACES"):
        return
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    os.environ["IN_NAMESPACES"] = "yes"
    os.execvp(command[0], [*command, sys.executable, "-m", "tests.cluster", *sys.argv[1:]])  # noqa: S606


@dataclass
class Host(machine.Booted):
    """A booted Debian; `folder` has its root, and `files` shows the same with what is mounted there."""

    name: str
    namespace: str
    folder: Path

    @property
    def address(self) -> str:
        return ADDRESSES[self.name]

    @property
    def files(self) -> Path:
        return Path(f"/proc/{self.leader}/root")

    def firewall(self, *rules: str) -> None:
        """Replace this host's firewall by these rules of nft for what arrives and leaves; none: no firewall."""
        text = "table inet cut\ndelete table inet cut\n"
        if rules:
            chains = "".join(
                f"chain {hook} {{ type filter hook {hook} priority 0; {'; '.join(rules)}; }}\n"
                for hook in ("input", "output")
            )
            text += f"table inet cut {{\n{chains}}}\n"
        run("ip", "netns", "exec", self.namespace, "nft", "-f", "-", input=text)

    def cut_off_from(self, *others: "Host") -> None:
        addresses = ", ".join(other.address for other in others)
        self.firewall(f"ip saddr {{ {addresses} }} drop", f"ip daddr {{ {addresses} }} drop")


def run(*command, **options) -> str:
    """Run a command; return what it wrote. Raises CalledProcessError."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options)
    return done.stdout


@contextmanager
def hosts():
    """Boot the hosts of ADDRESSES; yield them by name, and the namespace of their clients."""
    base = _prepared()
    # Names of namespaces that nobody else sees.
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    with ExitStack() as stack:
        clients = stack.enter_context(_bridge())
        booted = {}
        for name in ADDRESSES:
            namespace = stack.enter_context(_namespace(name, clients))
            folder = stack.enter_context(_root(base, name))
            debian = stack.enter_context(machine.booted(folder, namespace=namespace))
            booted[name] = Host(debian.leader, name, namespace, folder)
            stack.callback(os.kill, debian.leader, POWER_OFF)
        yield booted, clients


def _prepared() -> Path:
    """A Debian with PACKAGES and pip's cache, made once."""
    wanted = hashlib.sha256((PREPARE + (machine.ROOT / "requirements.txt").read_text()).encode()).hexdigest()
    folder, stamp = machine.ROOTS / f"{RELEASE}-cluster", machine.ROOTS / f"{RELEASE}-cluster.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    with machine.fresh(RELEASE, folder.name, keep=True):
        run("cp", machine.ROOT / "requirements.txt", folder / "root")
        run("cp", "/etc/resolv.conf", folder / "etc")
        print(f"Installing packages in {folder} …", flush=True)
        with open(f"{folder}.log", "w") as log:
            kept = [f"{name}={os.environ[name]}" for name in machine.PROXIES if name in os.environ]
            command = ["chroot", folder, "env", "-i", *machine.CLEAN, *kept, "bash", "-ec", PREPARE]
            subprocess.run(command, check=True, stdout=log, stderr=log)
    stamp.write_text(wanted)
    return folder


@contextmanager
def _root(base: Path, name: str):
    """The base with a layer of its own above, in memory."""
    layer = machine.ROOTS / f"cluster-{name}"
    layer.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", layer)
    upper, work, root = (layer / part for part in ("upper", "work", name))
    for folder in (upper, work, root):
        folder.mkdir(parents=True)
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={upper},workdir={work}", root)
    try:
        (root / "etc/hostname").write_text(f"{name}\n")
        machine.clone_into(root)
        yield root
    finally:
        run("umount", root)
        run("umount", layer)
        layer.rmdir()


@contextmanager
def _bridge():
    """The namespace with the bridge, where the clients are."""
    with _added("clients") as namespace:
        run("ip", "-n", namespace, "link", "add", "br0", "type", "bridge")
        for address in SITES:
            run("ip", "-n", namespace, "address", "add", f"{address}/24", "dev", "br0")
        run("ip", "-n", namespace, "link", "set", "br0", "up")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        yield namespace


@contextmanager
def _namespace(name: str, bridge: str):
    with _added(name) as namespace:
        # fmt: off
        run("ip", "-n", namespace, "link", "add", "eth0", "type", "veth", "peer", "name", name, "netns", bridge)
        run("ip", "-n", bridge, "link", "set", name, "master", "br0", "up")
        # fmt: on
        run("ip", "-n", namespace, "address", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
        run("ip", "-n", namespace, "link", "set", "eth0", "up")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        yield namespace


@contextmanager
def _added(namespace: str):
    run("ip", "netns", "add", namespace)
    try:
        yield namespace
    finally:
        run("ip", "netns", "delete", namespace)
