"""What the listener writes to its log: one line a login and a message, never a secret.

Everything that a client chose goes through `printable` first: no line can be forged,
and no password that was typed into the field of the username is kept.
"""

import logging
import re
import traceback

from credentials.passwords import PREFIX

MAX_LENGTH = 64

log = logging.getLogger("submission")

_UNSAFE = re.compile(r"[^!-~]")


def printable(text: str, limit: int = MAX_LENGTH) -> str:
    """Return a text as one word of printable ASCII, at most `limit` characters long."""
    return _UNSAFE.sub("?", text[:limit]) or "-"


def login(username: str, peer: str, outcome: str) -> None:
    # People paste the password into the wrong field.
    name = "(password)" if PREFIX in username else printable(username)
    log.info("AUTH username=%s peer=%s outcome=%s", name, peer, outcome)


def crash(where: str, error: BaseException | None) -> None:
    """Log an exception's type and frames; its text may hold what a client sent."""
    frames = "".join(traceback.format_tb(error.__traceback__)) if error else ""
    log.error("%s failed: %s\n%s", where, type(error).__qualname__, frames)
