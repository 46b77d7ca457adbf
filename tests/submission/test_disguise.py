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
from tests.submission.from_headers import DOMAIN, FORGED, HIDDEN, OTHERS, OWN, REAL, filled, header_of, in_turn

pytestmark = pytest.mark.one_database

BODY = b"Subject: x\r\n\r\nx\r\n"


def message(value: str, name="From") -> bytes:
    return f"{name}: {filled(value)}\r\n".encode() + BODY


def judge(value: str, name="From"):
    return judge_message(message(value, name), DOMAIN)


@pytest.mark.parametrize("shape", REAL)
def test_usual_headers_are_accepted(shape):
    assert judge_message(header_of(shape) + BODY, DOMAIN) is None


@pytest.mark.parametrize("shape", FORGED)
def test_forged_headers_are_refused(shape):
    assert judge_message(header_of(shape) + BODY, DOMAIN) is not None


@pytest.mark.parametrize("value", OTHERS)
def test_name_that_looks_like_a_foreign_address_is_refused(value):
    assert judge(value) is Refusal.OTHER_ADDRESS


@pytest.mark.parametrize("value", HIDDEN)
def test_invisible_and_reordering_characters_are_refused(value):
    assert judge(value) is Refusal.HIDDEN_TEXT


@pytest.mark.parametrize(
    ("values", "refusal"),
    [(OTHERS, Refusal.OTHER_ADDRESS), (HIDDEN, Refusal.HIDDEN_TEXT)],
    ids=["others", "hidden"],
)
def test_sender_and_resent_fields_follow_the_same_rule(values, refusal):
    for value in values:
        if ">, " in value:
            continue  # a Sender has one address
        for name in ("Sender", "Resent-Sender", "Resent-From"):
            content = f"From: {OWN}\r\n".encode() + message(value, name)
            assert judge_message(content, DOMAIN) is refusal, (name, value)
        assert judge_message(f"From: {OWN}\r\n".encode() + message(value, "Reply-To"), DOMAIN) is None


# Newer Pythons (CVE-2023-27043) answer nothing for what they find odd, unless asked to be as others are.
HASTY = {"strict": False} if "strict" in inspect.signature(getaddresses).parameters else {}


# Its name is one that Python's parser fails at.
@pytest.mark.parametrize("shape", [shape for shape in REAL if shape != ".NET <{A}>"])
def test_other_parsers_find_only_the_own_address(shape):
    content = header_of(shape) + BODY
    for rules in (email.policy.compat32, email.policy.SMTPUTF8):
        text = str(email.message_from_bytes(content, policy=rules)["From"]).replace("\r\n", "")
        found = [address.strip("'") for _name, address in getaddresses([text], **HASTY) if "@" in address]
        assert {address.rpartition("@")[2].lower() for address in found} == {DOMAIN}


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


# Without the line of blanks, which the listener drops, it is one of the real ones.
MENDED = {'"{C}"\r\n \r\n <{A}>'}


@pytest.mark.django_db(transaction=True)
def test_listener_refuses_forged_headers_and_takes_real_ones(smtp, outbox):
    for shape, is_forged in in_turn():
        code, text = submit(smtp, header_of(shape) + BODY)
        assert code in ((550, 553) if is_forged and shape not in MENDED else (250,)), (shape, text)
    arrived = b"\0".join(outbox())
    assert all(header_of(shape) in arrived for shape in REAL)
    assert all(header_of(shape).replace(b"\r\n \r\n", b"\r\n") in arrived for shape in MENDED)
    assert len(outbox()) == len(REAL) + len(MENDED)
