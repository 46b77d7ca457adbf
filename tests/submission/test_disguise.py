"""From headers that show another sender than the one who sends, and those that only look like it."""

import email
import email.policy
import inspect
import time
from email.utils import getaddresses

import pytest

from submission.listener import replies
from submission.policy.sender import Refusal, judge_message
from tests.submission.clients import submit
from tests.submission.from_headers import (
    DOMAIN,
    FORGED,
    HIDDEN,
    MBOX_LINES,
    OTHERS,
    OWN,
    REAL,
    filled,
    header_of,
    in_turn,
    shows_own,
)

pytestmark = pytest.mark.one_database

BODY = b"Subject: x\r\n\r\nx\r\n"


def message(value: str, name="From") -> bytes:
    return f"{name}: {filled(value)}\r\n".encode() + BODY


def judge(value: str, name="From"):
    return judge_message(message(value, name), DOMAIN)


def judge_shape(shape):
    return judge_message(header_of(shape) + BODY, DOMAIN)


def test_usual_headers_are_accepted_and_forged_ones_refused():
    assert [shape for shape in REAL if judge_shape(shape)] == []
    assert [shape for shape in FORGED if not judge_shape(shape)] == []
    assert len(REAL) >= 100 and len(FORGED) >= 200


@pytest.mark.parametrize(
    ("values", "refusal"),
    [(OTHERS, Refusal.OTHER_ADDRESS), (HIDDEN, Refusal.HIDDEN_TEXT)],
    ids=["others", "hidden"],
)
def test_name_is_refused_for_its_cause_in_every_sender_field(values, refusal):
    for value in values:
        assert judge(value) is refusal, value
        if ">, " in value:
            continue  # a Sender has one address
        for name in ("Sender", "Resent-Sender", "Resent-From"):
            content = f"From: {OWN}\r\n".encode() + message(value, name)
            assert judge_message(content, DOMAIN) is refusal, (name, value)
        assert judge_message(f"From: {OWN}\r\n".encode() + message(value, "Reply-To"), DOMAIN) is None


# Newer Pythons (CVE-2023-27043) answer nothing for what they find odd, unless asked to be as others are.
HASTY = {"strict": False} if "strict" in inspect.signature(getaddresses).parameters else {}


def test_other_parsers_find_only_the_own_address():
    for shape in REAL:
        if shape == ".NET <{A}>":  # a name that Python's parser fails at
            continue
        content = header_of(shape) + BODY
        for rules in (email.policy.compat32, email.policy.SMTPUTF8):
            text = str(email.message_from_bytes(content, policy=rules)["From"]).replace("\r\n", "")
            found = [address.strip("'") for _name, address in getaddresses([text], **HASTY) if "@" in address]
            assert {address.rpartition("@")[2].lower() for address in found} == {DOMAIN}, shape


@pytest.mark.parametrize(
    "value",
    [
        "(" * 3900, "(a" * 1900, '"' * 3900, "<" * 3900, "<@" * 1900, "a@" * 1900, "a.a" * 1300, "a " * 1900,
        "=?" * 1900, "=?utf-8?q?" * 390, "=?a?q?=22?=" * 300, "=?utf-8?b?" + "A" * 3800 + "?=",
        "=?punycode?q?" + "a" * 3800 + "?=", "\\" * 3900, '"\\' * 1900, "\u200d" * 1900, " " * 3900, "@" * 3900,
        "=?a?q?a," * 480, "< " * 1900, "a < " * 900, "=?a?q?" + "a," * 1800,
        "({C})" * 200, "{A}," * 190, '"<{C}" ' * 150,
    ],
)  # fmt: skip
def test_hostile_values_are_judged_in_linear_time(value):
    text = filled(value)
    folded = "\r\n ".join(text[start : start + 300] for start in range(0, len(text), 300))
    start = time.process_time()
    judge(f"{folded}")
    judge(f"{folded} <{OWN}>")
    assert time.process_time() - start < 0.2


@pytest.mark.django_db(transaction=True)
def test_refusal_names_the_fix_and_the_log_the_cause(smtp, listener, outbox):
    for value, refusal in (
        (OTHERS[0], Refusal.OTHER_ADDRESS),
        (HIDDEN[0], Refusal.HIDDEN_TEXT),
        ("Smith, John <{A}>", Refusal.BAD_ADDRESSES),
        ("[Shop] <{A}>", Refusal.BAD_ADDRESSES),
        ("Server: alerts <{A}>", Refusal.BAD_ADDRESSES),
    ):
        code, text = submit(smtp, message(value))
        assert f"{code} {text.decode()}" == replies.MESSAGE_REPLIES[refusal]
        assert f"cause={refusal.name.lower()} reply=550 5.7.1" in listener.log.read_text()
    assert outbox() == []


@pytest.mark.django_db(transaction=True)
def test_listener_refuses_forged_headers_and_takes_real_ones(smtp, outbox):
    for shape, is_forged in in_turn():
        is_taken = not is_forged or shape in MBOX_LINES
        code, text = submit(smtp, header_of(shape) + (b"X-Forged: yes\r\n" if is_forged else b"") + BODY)
        assert code in ((250,) if is_taken else (550, 553)), (shape, text)
    arrived = outbox()
    forged = [content for content in arrived if b"X-Forged" in content]
    assert len(forged) == len(MBOX_LINES) and all(map(shows_own, forged))
    assert len(arrived) == len(REAL) + len(forged)
    together = b"\0".join(arrived)
    assert all(header_of(shape) in together for shape in REAL)
