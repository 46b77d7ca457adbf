"""Throw-away roots: this machine's files with more packages on top (overlayfs), and nothing outside changes.

Mail transfer agents exclude one another, and a compiler is much to install for a test. So each set of packages
is installed into a layer of its own, which is kept; each run gets another one above it, in memory.
"""

import shutil
import subprocess
from pathlib import Path

INSTALL = """
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"
"""
# $1: the layer; $2: where the run's own files are, or "" to install. The trusted certificate is the machine's.
ENTER = r"""
set -e
layer=$1 own=$2; shift 2
mount -t overlay overlay -o lowerdir=/,upperdir=$layer/upper,workdir=$layer/work $layer/root
root=$layer/root
if [ -n "$own" ]; then
  mount -t tmpfs tmpfs $layer/run
  mkdir $layer/run/upper $layer/run/work $layer/run/root
  mount -t overlay overlay -o lowerdir=$root,upperdir=$layer/run/upper,workdir=$layer/run/work $layer/run/root
  root=$layer/run/root
  mount --bind "$CA" $root/etc/ssl/certs/ca-certificates.crt
fi
mount -t proc proc $root/proc
mount -t tmpfs tmpfs $root/dev
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty $root/dev
ln -s /proc/self/fd $root/dev/fd; mkdir $root/dev/shm
here=$PWD
exec chroot $root sh -c 'cd "$0" && exec "$@"' "$here" "$@"
"""


class Root:
    """A layer with these packages, in a folder of its own; `enter` is put before a command."""

    def __init__(self, folder: Path, packages: tuple[str, ...]):
        self.folder, self.packages = folder, packages

    @property
    def enter(self) -> tuple[str, ...]:
        return self._enter("own")

    def _enter(self, own) -> tuple[str, ...]:
        # In a network of this machine, but with processes of its own: all of them end with the command.
        apart = ("unshare", "--mount", "--pid", "--fork", "--uts", "--kill-child", "--propagation", "private")
        return (*apart, "bash", "-c", ENTER, "enter", str(self.folder), own)

    def install(self):
        """Install the packages, unless they are. Raises CalledProcessError."""
        stamp = self.folder / "installed"
        if stamp.exists() and stamp.read_text().split() == list(self.packages):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("upper", "work", "root", "run"):
            (self.folder / name).mkdir(parents=True)
        subprocess.run([*self._enter(""), "sh", "-ec", INSTALL, "install", *self.packages], check=True)
        stamp.write_text("\n".join(self.packages))
