"""Removal of the password from a transcript, in any form that a server may send back."""

import base64
from itertools import groupby

MASK = "********"
PIECE = 8  # characters of a random text; long enough to appear nowhere else


class Redactor:
    """Masks pieces of a password, plain, hexadecimal or base64, and pieces of other texts."""

    def __init__(self, password: str, *others: str):
        forms = [_lower(form) for form in (*_forms(password.encode()), *others)]
        self._pieces = {form[i : i + PIECE] for form in forms for i in range(len(form) - PIECE + 1)}

    def __call__(self, text: str) -> str:
        lower, secret = _lower(text), [False] * len(text)
        for i in range(len(text) - PIECE + 1):
            if lower[i : i + PIECE] in self._pieces:
                secret[i : i + PIECE] = [True] * PIECE
        runs = groupby(zip(text, secret, strict=True), key=lambda pair: pair[1])
        return "".join(MASK if is_secret else "".join(c for c, _ in pairs) for is_secret, pairs in runs)


def _forms(password: bytes):
    yield password.decode()
    yield password.hex()
    for before in range(3):
        # The first characters depend on the bytes before the password.
        encoded = base64.b64encode(b"\0" * before + password).decode().rstrip("=")
        yield encoded[4 if before else 0 :]


def _lower(text: str) -> str:
    # ASCII only: other letters may become two, which would shift positions.
    return "".join(c.lower() if c.isascii() else c for c in text)
