"""Finds out what a pasted text reports. No Django, no state."""

import base64
import re
from typing import NamedTuple

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.patterns import MAIL, OTHER_SERVICES, RULES
from credentials.diagnosis.transcripts import without_noise
from credentials.passwords import PREFIX

MAX_LINE = 2000  # characters that are read
PASSWORD_MASK = f"{PREFIX}(password)"
# passwords.PATTERN, also cut off or broken into lines.
_PASSWORD = re.compile(rf"{PREFIX}(?:\n?[0-9A-Za-z_]){{6,38}}[0-9A-Za-z_]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}(?:\n[A-Za-z0-9+/]{4,})*={0,2}")
_CUT_USERNAME = re.compile(r"(?<![0-9A-Za-z])[0-9A-F]{16,31}(?![0-9A-Za-z])")
_USERNAME = re.compile(r"(?<![0-9A-F])[0-9A-F]{32}(?![0-9A-F])")
_ADDRESS = r"[^\s<>()\[\]{}:;,\"'=|]{1,64}@([a-z0-9.-]{1,253}[a-z0-9])"
# The words around a sender. Many programs name the recipient in the same line.
_SENDER = re.compile(
    rf"(?:\bfrom(?: ?[=:]| address(?: failed:)?) ?<?|\(\d{{3}}, b?['\"][^'\"]{{0,200}}['\"], ['\"]){_ADDRESS}"
    rf"|<{_ADDRESS}>: sender address rejected",
    re.IGNORECASE,
)
_PORT = re.compile(r"(?:\bport\W{1,3}|[a-z\]]:|\d\.\d{1,3}:)(\d{2,5})\b(?![:.]\d)")
_THIS_MACHINE = re.compile(r"(?:\blocalhost|\b127\.0\.0\.1|::1)\W{1,3}(?:port )?\d{2,5}\b")
# C0 controls except tab and newline have visible symbols in Unicode.
_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {127: 0x2421}
_INVISIBLE = re.compile("[\x80-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_OTHER_SERVICES, _MAIL = re.compile(OTHER_SERVICES), re.compile(MAIL)
_RULES = tuple((finding, re.compile("|".join(patterns))) for finding, *patterns in RULES)


class Reading(NamedTuple):
    """What a text reports, and the usernames, domains of senders and ports in it, in their order.

    `cut_username` is what may be the beginning of a username.
    """

    finding: Finding
    usernames: tuple[str, ...] = ()
    sender_domains: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    names_this_machine: bool = False
    cut_username: str = ""


def visible(text: str) -> str:
    """The text as it may be shown: without passwords and invisible characters, newlines as \\n."""
    text = _BASE64.sub(_mask_encoded, _PASSWORD.sub(PASSWORD_MASK, text.replace("\r\n", "\n")))
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text.translate(_PICTURES))


def read(text: str) -> Reading:
    """Find out what a text reports; of several things, the one nearest to the cause."""
    text = text[:MAX_LINE]
    line = " ".join(without_noise(text).lower().split())
    finding = next((finding for finding, pattern in _RULES if pattern.search(line)), Finding.UNKNOWN)
    if _OTHER_SERVICES.search(line) and not _MAIL.search(line):
        finding = Finding.UNKNOWN
    return Reading(
        finding,
        tuple(dict.fromkeys(_USERNAME.findall(text))),
        tuple(dict.fromkeys((before or after).lower() for before, after in _SENDER.findall(text))),
        tuple(dict.fromkeys(int(port) for port in _PORT.findall(line))),
        bool(_THIS_MACHINE.search(line)),
        cut[0] if (cut := _CUT_USERNAME.search(text)) else "",
    )


def _mask_encoded(match) -> str:
    """Hide a password in base64, as transcripts of AUTH PLAIN and LOGIN show it."""
    word = match[0].rstrip("=").replace("\n", "")
    decoded = base64.b64decode(word + "A" * (-len(word) % 4))
    return PASSWORD_MASK if _PASSWORD.search(decoded.decode("latin-1")) else match[0]
