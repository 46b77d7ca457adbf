"""The credentials: some that clients log in with, spread evenly among many unused ones."""

import base64
import random
from collections.abc import Iterator
from typing import NamedTuple

from passlib.hash import sha512_crypt

from credentials import passwords, verifier

SEED = 587
SSHA512 = "SSHA512"
CRYPT = "SHA512-CRYPT"  # 5,000 rounds, the default of crypt(3)


class Refused(Exception):
    """A login was refused; str() is the server's answer."""


class Account(NamedTuple):
    """`verifiers` of one password by scheme; `response` is its SASL PLAIN (RFC 4616) in base64."""

    username: str
    verifiers: dict[str, str]
    response: bytes


def make(number: int) -> list[Account]:
    """Return this many accounts, with verifiers like the product's and with slow ones."""
    return [_account(username) for username, _verifier in _strangers(number, SSHA512, seed=SEED)]


def table(size: int, accounts: list[Account], scheme: str) -> Iterator[tuple[str, str]]:
    """Yield (username, verifier) of `size` credentials, the accounts at even distances among them."""
    accounts = accounts[:size]
    distance = size // len(accounts)
    for number, stranger in enumerate(_strangers(size, scheme, seed=SEED + 1)):
        index, rest = divmod(number, distance)
        if rest == 0 and index < len(accounts):
            yield accounts[index].username, accounts[index].verifiers[scheme]
        else:
            yield stranger


def _account(username) -> Account:
    password = passwords.generate()
    verifiers = {
        SSHA512: verifier.make(password),
        CRYPT: f"{{{CRYPT}}}" + sha512_crypt.using(rounds=5000).hash(password),
    }
    return Account(username, verifiers, base64.b64encode(f"\0{username}\0{password}".encode()))


def _strangers(number, scheme, *, seed):
    """Yield random usernames, and verifiers in the form of the scheme that match no password."""
    chance = random.Random(seed)  # noqa: S311  (the same table in each run)
    for _ in range(number):
        username = chance.randbytes(16).hex().upper()
        text = base64.b64encode(chance.randbytes(80))
        if scheme == SSHA512:
            yield username, f"{{{SSHA512}}}{text.decode()}"
        else:
            text = text.replace(b"+", b".").decode()
            yield username, f"{{{CRYPT}}}$6${text[:16]}${text[16:102]}"
