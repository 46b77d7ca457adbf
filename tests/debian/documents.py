"""The commands of deploy/README.md, docs/dkim.md and docs/dist-upgrade.md: their blocks of bash.

Comments before a block, or where one would be, say more of it:

<!-- walk-through: WORD… -->   bookworm, trixie, pgsql, sqlite: only there; skip: not run; once: not a second
                               time with --twice; install: with the values of this walk; upgrade: without the
                               pull; rollback: only after an upgrade from another version; reboot: instead, the
                               machine boots again
<!-- shows: TEXT -->           the output of the block must contain this
<!-- repeat: HEADING -->       the blocks of deploy/README.md under that heading, again
"""

import re
import subprocess
from dataclasses import dataclass, field

from tests.debian import machine

README = machine.ROOT / "deploy/README.md"
DKIM = machine.ROOT / "docs/dkim.md"
UPGRADE = machine.ROOT / "docs/dist-upgrade.md"
BLOCK = re.compile(
    r"^<!-- repeat: (?P<repeat>[^\n]*) -->$|(?P<comments>(?:^<!--[^\n]*-->\n)*)^```bash\n(?P<text>.*?)^```$",
    re.M | re.S,
)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.*)$", re.M)
COMMENT = re.compile(r"<!-- (walk-through|shows): (.*?) -->")
ONLY = {"bookworm", "trixie", "pgsql", "sqlite"}
WORDS = ONLY | {"skip", "once", "reboot", "install", "upgrade", "rollback"}


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
    """The blocks of bash in a document. Raises ValueError at a word or heading that is unknown."""
    found: list[Block] = []
    # A comment in a block looks like a heading.
    headings = list(HEADING.finditer(FENCED.sub(_blank, document)))
    for match in BLOCK.finditer(document):
        if match["repeat"]:
            again = [block for block in blocks(README.read_text()) if block.heading == match["repeat"]]
            if not again:
                raise ValueError(f"no blocks under {match['repeat']}")
            found += again
            continue
        block = Block([head[1] for head in headings if head.start() < match.start()][-1], match["text"])
        for kind, said in COMMENT.findall(match["comments"]):
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
