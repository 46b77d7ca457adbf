"""A disk that is easily full."""

import os
import subprocess
from contextlib import contextmanager


@contextmanager
def small_disk(folder, size="6m"):
    """Mount a tmpfs. Only root mounts one, and root runs these tests anyway (Postfix)."""
    assert os.geteuid() == 0, "Run the tests as root: this one mounts a small tmpfs."
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        # At once it fails while somebody else's program, such as a scanner, looks into it.
        subprocess.run(["umount", "--lazy", folder], check=True)
