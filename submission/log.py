"""The log of submission: one line per login and message, never a secret.

Everything that a client chose goes through `printable` first, so that it can't forge a line.
"""

import logging
import re
import traceback

from credentials.passwords import PREFIX

MAX_LOGGED = 64

logger = logging.getLogger("submission")

_UNSAFE = re.compile(r"[^!-~]")


def printable(text: str, limit: int = MAX_LOGGED) -> str:
    """Return a text as one word of printable ASCII, at most `limit` characters long."""
    return _UNSAFE.sub("?", text[:limit]) or "-"


def login(username: str, peer: str, outcome: str) -> None:
    # People paste the password into the field of the username.
    name = "(password)" if PREFIX in username else printable(username)
    logger.info("AUTH username=%s peer=%s outcome=%s", name, peer, outcome)


def crash(where: str, error: BaseException | None) -> None:
    """Log an exception's type and frames, without its text, which may contain what a client sent."""
    frames = "".join(traceback.format_tb(error.__traceback__)) if error else ""
    logger.error("%s failed: %s\n%s", where, type(error).__qualname__, frames)
