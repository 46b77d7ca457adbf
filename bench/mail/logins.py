"""The credentials: a few that clients log in with, spread evenly among many that nobody uses."""

import base64
import random
from collections.abc import Iterator
from typing import NamedTuple

from passlib.hash import sha512_crypt

from credentials import passwords, verifier

SEED = 587
SSHA512 = "SSHA512"
CRYPT = "SHA512-CRYPT"  # 5,000 rounds, what crypt(3) takes when none are named


class Refused(Exception):
    """A login was not accepted; str() is the server's answer."""


class Login(NamedTuple):
    """`verifiers` are of one password, by scheme; `response` is its SASL PLAIN (RFC 4616) in base64."""

    username: str
    verifiers: dict[str, str]
    response: bytes


def make(number: int) -> list[Login]:
    """Return as many logins, with verifiers as the product makes them and with slow ones."""
    return [_login(username) for username, _verifier in _strangers(number, SSHA512, seed=SEED)]


def table(size: int, logins: list[Login], scheme: str) -> Iterator[tuple[str, str]]:
    """Yield (username, verifier) of each credential: every so-many-th is one of the logins."""
    logins = logins[:size]
    every = size // len(logins)
    for number, stranger in enumerate(_strangers(size, scheme, seed=SEED + 1)):
        index, rest = divmod(number, every)
        if rest == 0 and index < len(logins):
            yield logins[index].username, logins[index].verifiers[scheme]
        else:
            yield stranger


def _login(username) -> Login:
    password = passwords.generate()
    verifiers = {
        SSHA512: verifier.make(password),
        CRYPT: f"{{{CRYPT}}}" + sha512_crypt.using(rounds=5000).hash(password),
    }
    return Login(username, verifiers, base64.b64encode(f"\0{username}\0{password}".encode()))


def _strangers(number, scheme, *, seed):
    """Random usernames, and verifiers that have the form of the scheme and fit no password."""
    chance = random.Random(seed)  # noqa: S311  (the same table in each run)
    for _ in range(number):
        username = chance.randbytes(16).hex().upper()
        text = base64.b64encode(chance.randbytes(80))
        if scheme == SSHA512:
            yield username, f"{{{SSHA512}}}{text.decode()}"
        else:
            text = text.replace(b"+", b".").decode()
            yield username, f"{{{CRYPT}}}$6${text[:16]}${text[16:102]}"
