"""The catalogue of bad input: its rows by id, where each is tested, and why some are not."""

import pytest


def _ids(letter, *numbers) -> set[str]:
    return {f"{letter}{number}" for part in numbers for number in ([part] if isinstance(part, int) else part)}


def _to(first, last):
    return range(first, last + 1)


CATALOGUE = {
    # U: the address
    *_ids("U", _to(1, 7), 10, _to(11, 14), 16, 17, _to(19, 22)),
    # H: headers, C: cookies and forged requests, M: methods
    *_ids("H", _to(1, 5), _to(7, 12)),
    *_ids("C", _to(1, 3), _to(6, 12)),
    *_ids("M", _to(1, 5)),
    # Y: bodies
    *_ids("Y", _to(1, 6), _to(12, 18)),
    # L: labels, D: domain names, A: accounts
    *_ids("L", _to(1, 5), _to(7, 16), 20, 21),
    *_ids("D", _to(1, 7), 10, 11, _to(18, 52)),
    *_ids("A", _to(1, 7), _to(10, 16), _to(19, 21)),
    # S: secrets on pages, P: SMTP
    *_ids("S", _to(1, 4)),
    *_ids("P", _to(1, 5), _to(7, 12), 14, 15, _to(21, 23), _to(28, 34)),
}

# Deliberate differences from the catalogue:
# L1-2 a label may be blank; L3-4 it may have 80 characters, not 64; A14 a password needs 10.
# Y12, Y14-16 there is no API: JSON comes in as a passkey's answer, and at the port of reports (W100 on);
# Y17 fields that a form does not have are left out, as browsers send some. L14-16 there is no CSV to guard.
# P1-2 AUTH in the clear is 530 even before EHLO; 503 within TLS.

# Rows that need a browser, and the test with one.
ELSEWHERE = {
    "S4": ("tests/e2e/test_password.py", "test_password_hides_after_30_seconds"),
}

# Test id → module, filled by `rows` and `row`. W: raw requests that no client sends.
TESTED: dict[str, str] = {}


def rows(names: str, **cases):
    """Parametrize a test by rows of the catalogue: id=value, or a tuple where `names` are several."""
    _note(cases)
    return pytest.mark.parametrize(names, list(cases.values()), ids=list(cases))


def row(id: str):
    """Mark a test with its one row."""
    _note([id])
    return pytest.mark.parametrize("row", [id], indirect=True)


def _note(ids):
    twice = [id for id in ids if id in TESTED]
    assert not twice, f"{twice} are tested twice"
    TESTED.update(dict.fromkeys(ids, ""))
