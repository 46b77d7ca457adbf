"""The forms in which a secret could stand somewhere."""

import base64
from urllib.parse import quote


def forms_of(secret: str):
    """Plain, in a URL, backwards, hexadecimal, within any base64; as bytes.

    Base64 depends on what stands before it.
    """
    raw = secret.encode()
    yield from {raw, quote(secret, safe="").encode(), raw[::-1], raw.hex().encode()}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        # Both ends are shared with what stands beside it.
        yield encoded[4 if before else 0 : -4]
