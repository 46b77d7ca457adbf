"""From headers that show another sender than the one who sends, and those that only look like it.

A stands for the address of the credential's domain, C for another's. Both are replaced in the table.
"""

import email
import email.policy
import inspect
import time
from email.utils import getaddresses

import pytest

from submission.listener import replies
from submission.policy.sender import Refusal, judge_message
from tests.submission.clients import submit

pytestmark = pytest.mark.one_database

OWN, OTHER = "info@sl.example.com", "ceo@bank.example"
DOMAIN = "sl.example.com"


def filled(value: str) -> str:
    quoted = OTHER.replace("@", "=40").replace(".", "=2E")
    return value.replace("{Q}", quoted).replace("{A}", OWN).replace("{C}", OTHER)


TAKEN = [
    "{A}",
    "<{A}>",
    "{A} <{A}>",
    '"{A}" <{A}>',
    "Shop {A} <{A}>",
    '"Shop <{A}>" <{A}>',
    "({A}) Shop <{A}>",
    "=?utf-8?q?info=40sl.example.com?= <{A}>",
    "Bob's Shop <{A}>",
    "=?iso-8859-1?Q?Bob=92s_Shop?= <{A}>",
    "=?windows-1252?q?Bob=92s_Shop?= <{A}>",
    "=?no-such-charset?q?Bob?= <{A}>",
    "=?utf-8?b?SsO2cmc?= <{A}>",
    "=?utf-8?b?!!!?= <{A}>",
    "=?utf-8*de?q?J=C3=B6rg?= <{A}>",
    '"=?utf-8?q?J=C3=B6rg?=" <{A}>',
    "=?utf-8?q?J=C3=B6rg_=28ceo=40bank.example=29_via_Shop?= <{A}>",
    "{A} (Shop (Berlin))",
    "Shop <{A}> (Berlin (Mitte (1)))",
    "{A} (Cron Daemon)",
    "{A} (Cron Daemon, {C})",
    '"{C}" <{A}>',
    '"{C} via Shop" <{A}>',
    '"Ann ({C})" <{A}>',
    "Ann ({C}) <{A}>",
    '"Shop -> Ann" <{A}>',
    '"I <3 mail" <{A}>',
    '"<Shop @ Berlin>" <{A}>',
    "=?utf-8?q?Shop_=40_Berlin?= <{A}>",
    "=?utf-8?q?=40shop?= <{A}>",
    "Shop\r\n <{A}>",
    '"Shop,\r\n\tBerlin" <{A}>',
    "Shop" + " " * 20 + "<{A}>",
    "A <{A}>, B <{A}>",
    "علی\u200cرضا <{A}>",
    "ශ්\u200dරී <{A}>",
    "متجر\u200f <{A}>",
    "Shop ❤\ufe0f <{A}>",
    "👩\u200d👩\u200d👧 <{A}>",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f <{A}>",
    "Sil\u00adben <{A}>",
    "=?utf-8?q?=F0=9F=91=A9=E2=80=8D=F0=9F=91=A7?= <{A}>",
    "店\u3000舗 <{A}>",
]
OTHERS = [
    "(<{C}>) {A}",
    "({C}) {A}",
    "({C}) <{A}>",
    "(a) ({C}) Shop <{A}>",
    "({C}) Shop <{A}>",
    "{C} <{A}>",
    "Boss {C} <{A}>",
    "Shop (<{C}>) <{A}>",
    "<{A}> (<{C}>)",
    "{A} (<{C}>)",
    "{A} (a (<{C}>))",
    '"<{C}>" <{A}>',
    '"Boss <{C}>" <{A}>',
    '"Boss <{C}> via Shop" <{A}>',
    '"Boss <{C}" <{A}>',
    '"\\" <{C}>" <{A}>',
    "=?utf-8?q?{Q}?= <{A}>",
    "=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?= <{A}>",
    "=?utf-8?b?Y2VvQGJhbmsu?= =?utf-8?b?ZXhhbXBsZQ==?= <{A}>",
    "=?utf-8?q?Boss_?= =?utf-8?q?=3C{Q}=3E?= <{A}>",
    '"=?utf-8?q?=3C{Q}=3E?=" <{A}>',
    "=?utf-8?q?=28{Q}=29?= <{A}>",
    "=?utf-8?q?=28a=28{Q}=29=29?= <{A}>",
    "=?utf-8?q?Boss_{Q}?= <{A}>",
    "=?utf-8?q?ceo_=40_bank=2Eexample?= <{A}>",
    "=?utf-8?q?Shop=2C_{Q}?= <{A}>",
    "=?utf-7?q?+ADw-{Q}+AD4-?= <{A}>",
    "=?us-ascii?q?=3C{Q}=3E?= <{A}>",
    "(=?utf-8?q?=3C{Q}=3E?=) <{A}>",
    "A <{A}>, {C} <{A}>",
    '"<ceo@sub.sl.example.com>" <{A}>',
    '"<ceo@ｂank.example>" <{A}>',
]
HIDDEN = [
    "Shop\u202e <{A}>",
    '"\u202eelpmaxe.knab@oec" <{A}>',
    "\u202aShop\u202c <{A}>",
    "\u2067Shop <{A}>",
    "=?utf-8?q?=E2=80=AEShop?= <{A}>",
    '"=?utf-8?q?=E2=80=AEShop?=" <{A}>',
    "Shop <{A}> (=?utf-8?q?=E2=80=AE?=)",
    "=?utf-8?q?Shop=0A?= <{A}>",
    "=?utf-8?q?Info=0D=0AFrom=3A_ceo=40bank.example?= <{A}>",
    "=?utf-8?q?Shop=00?= <{A}>",
    "=?utf-8?b?U2hvcAA=?= <{A}>",
    "=?utf-8?q?Shop=1B=5B2K?= <{A}>",
    "=?utf-8?q?=C2=85?= <{A}>",
    "Shop\u2028Boss <{A}>",
    "Sh\u200bop <{A}>",
    "Sh\u2060op <{A}>",
    "\ufeffShop <{A}>",
    "Sh\u200dop\u200d <{A}>",
    "Shop \ufe0f <{A}>",
    "\U000e0041\U000e0042 <{A}>",
    '"Shop' + " " * 40 + '" <{A}>',
    "=?utf-8?q?Shop" + "_" * 40 + "?= <{A}>",
    '"Shop' + "\u00a0" * 40 + '" <{A}>',
    '"Shop' + "\u2800" * 40 + '" <{A}>',
    '"Shop' + "\u3164" * 40 + '" <{A}>',
    '"Shop' + " \t" * 20 + '" <{A}>',
    '"Shop' + " ." * 200 + '" <{A}>',
]


def message(value: str, name="From") -> bytes:
    return f"{name}: {filled(value)}\r\nSubject: x\r\n\r\nx\r\n".encode()


def judge(value: str, name="From"):
    return judge_message(message(value, name), DOMAIN)


@pytest.mark.parametrize("value", TAKEN)
def test_usual_from_headers_are_accepted(value):
    assert judge(value) is None


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


@pytest.mark.parametrize("value", TAKEN)
def test_other_parsers_find_only_the_own_address(value):
    content = message(value)
    for rules in (email.policy.compat32, email.policy.SMTPUTF8):
        text = str(email.message_from_bytes(content, policy=rules)["From"]).replace("\r\n", "")
        found = {address.rpartition("@")[2] for _name, address in getaddresses([text], **HASTY)}
        assert found - {""} == {DOMAIN}


@pytest.mark.parametrize(
    "value",
    [
        "(" * 3900, "(a" * 1900, '"' * 3900, "<" * 3900, "<@" * 1900, "a@" * 1900, "a.a" * 1300, "a " * 1900,
        "=?" * 1900, "=?utf-8?q?" * 390, "=?a?q?=22?=" * 300, "=?utf-8?b?" + "A" * 3800 + "?=",
        "=?punycode?q?" + "a" * 3800 + "?=", "\\" * 3900, '"\\' * 1900, "\u200d" * 1900, " " * 3900, "@" * 3900,
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
    for value in ("{A} <{A}>", "=?iso-8859-1?Q?Bob=92s_Shop?= <{A}>", "{A} (Shop (Berlin))"):
        assert submit(smtp, message(value))[0] == 250
    assert len(outbox()) == 3
