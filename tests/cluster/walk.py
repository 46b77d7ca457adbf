"""Does what deploy/cluster/README.md says, on hosts that are bare."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.cluster.hosts import Host
from tests.debian.documents import FENCED, Block, blocks
from tests.debian.machine import ROOT
from tests.debian.walkthrough import VALUES, walk

PAGE = ROOT / "deploy/cluster/README.md"
# The sections, in the order in which they are done.
ON_PRIMARY = ("1. The primary", "Folders of the hosts", "PostgreSQL, roles, slots, heartbeat")
ON_NODES = ("2. Each mail node",)
# One block for the primary, one for a node.
SEE = "3. See that it works"


class Wrong(Exception):
    """A command of the page failed, or didn't show what it should."""


def make_primary(primary: Host, *, twice: bool) -> None:
    """Do each block, or each two times in a row. Raises Wrong."""
    _do(primary, sections(ON_PRIMARY), VALUES.format("pgsql", "postfix"), twice=twice)


def make_nodes(primary: Host, nodes: list[Host], *, twice: bool) -> None:
    """Make the hosts mail nodes, all at once. Raises Wrong."""
    for node in nodes:
        target = node.files / "root/cluster"
        target.mkdir(mode=0o700, exist_ok=True)
        subprocess.run(["cp", "-a", primary.files / "root/cluster" / node.name, target], check=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: _do(node, sections(ON_NODES), twice=twice), nodes))


def see(primary: Host, node: Host) -> None:
    """Raises Wrong."""
    for host, block in zip((primary, node), sections([SEE]), strict=True):
        _do(host, [block])


def _do(host: Host, chosen: list[Block], values: str = "", *, twice: bool = False) -> None:
    done = walk(host, host.folder, chosen, values=values, twice=twice)
    if done.faults:
        raise Wrong("\n".join([f"{host.name}:", *done.faults]))


def sections(headings) -> list[Block]:
    """The blocks under these headings of the page. Raises KeyError."""
    text = PAGE.read_text()
    # A comment in a block looks like a heading.
    bare = FENCED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    starts = [match.start() for match in re.finditer(r"^#+ ", bare, re.M)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    by_heading = {part.partition("\n")[0].lstrip("# "): part for part in parts}
    found = [block for heading in headings for block in blocks(by_heading[heading])]
    return [block for block in found if block.is_for("bookworm", "pgsql")]
