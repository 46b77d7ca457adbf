"""A search of all that is logged at DEBUG, here and by the servers under test, for any secret made here."""

import base64
import logging
import re

from credentials.passwords import PATTERN, PREFIX, is_well_formed
from web.logs import Lines, WithoutKeys


def _encoded(text: str):
    """What base64 makes of a text wherever in the encoded whole it stands."""
    for before in range(3):
        # The characters at both ends depend on what stands beside the text.
        start = -(-before * 8 // 6)
        yield base64.b64encode(b"\0" * before + text.encode()).decode()[start : (before + len(text)) * 8 // 6]


# A password in base64; what seals one; what verifies one.
_SECRET = re.compile(
    rf"(?:{'|'.join(map(re.escape, _encoded(PREFIX)))})[A-Za-z0-9+/]{{48}}"
    r"|\{SSHA512\}[A-Za-z0-9+/]{64}|\bv1\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_=-]{16,}"
)


def has_secret(text: str) -> bool:
    """Whether a secret stands in it. A password has its checksum: other random text may begin alike."""
    return any(map(is_well_formed, PATTERN.findall(text))) or bool(_SECRET.search(text))


class Search(logging.Handler):
    """Writes nothing; `found` are the lines, as the product would have written them, that hold a secret."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.found: list[str] = []
        self.addFilter(WithoutKeys())
        self.setFormatter(Lines())

    def emit(self, record):
        line = self.format(record)
        if has_secret(line):
            self.found.append(line)
