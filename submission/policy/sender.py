"""The rule for senders, without Django and sockets.

A credential sends for exactly its own domain: MAIL FROM (RFC 5321) and every address in
From, Sender, Resent-From and Resent-Sender (RFC 5322) must have that domain. Subdomains and
parent domains are refused; Reply-To is free.

The null path is accepted: a mail server behind a credential sends its bounces with it (RFC 5321
section 4.5.5), which would be lost otherwise. Their From must be of the domain, as any.
"""

from collections import Counter
from enum import Enum, auto

from submission.policy import disguise, headers
from submission.policy.addresses import BadAddress, parse_mailbox

MAX_SENDER_FIELDS = 20  # From, Sender, and a pair for each time that a message was resent

SENDER_FIELDS = {"from", "sender", "resent-from", "resent-sender"}


class Refusal(Enum):
    """Why a sender or a message is refused."""

    FOREIGN_SENDER = auto()
    FOREIGN_HEADER = auto()
    BAD_HEADER = auto()
    BAD_ADDRESSES = auto()
    OTHER_ADDRESS = auto()
    HIDDEN_TEXT = auto()
    NO_SINGLE_FROM = auto()
    BAD_SENDER_FIELD = auto()
    NUL = auto()


def judge_sender(mailbox: str, domain: str) -> Refusal | None:
    """Judge the mailbox of a MAIL FROM; `domain` is the credential's, as A-label. None means accepted.

    `mailbox` is "" for the null path.
    """
    if not mailbox:
        return None
    try:
        address = parse_mailbox(mailbox)
    except BadAddress:
        return Refusal.FOREIGN_SENDER
    # A quoted local part is refused even in the right domain: next hops differ in where it ends.
    return Refusal.FOREIGN_SENDER if address.is_quoted or address.domain != domain else None


def judge_message(content: bytes, domain: str) -> Refusal | None:
    """Judge a whole message, in its normal form (submission.listener.normal_form). None means accepted."""
    return Refusal.NUL if b"\x00" in content else _judge_header(content, domain)


def judge_fields(fields: list[headers.Field], domain: str) -> Refusal | None:
    """Judge the fields of a header by those of SENDER_FIELDS among them. None means accepted."""
    if refusal := _judge_counts(fields):
        return refusal
    try:
        refusals = (_judge_addresses(field, domain) for field in fields if field.name in SENDER_FIELDS)
        return next(filter(None, refusals), None)
    except headers.BadAddresses:
        return Refusal.BAD_ADDRESSES


def _judge_header(content: bytes, domain: str) -> Refusal | None:
    try:
        fields, _end = headers.split(content)
    except headers.BadHeader:
        return Refusal.BAD_HEADER
    return judge_fields(fields, domain)


def _judge_counts(fields: list[headers.Field]) -> Refusal | None:
    names = Counter(field.name for field in fields)
    if names["from"] != 1:
        return Refusal.NO_SINGLE_FROM
    too_many = sum(names[name] for name in SENDER_FIELDS) > MAX_SENDER_FIELDS
    return Refusal.BAD_SENDER_FIELD if names["sender"] > 1 or too_many else None


def _judge_addresses(field: headers.Field, domain: str) -> Refusal | None:
    if not field.has_sound_lines:
        return Refusal.BAD_HEADER
    value = field.value
    mailboxes = headers.mailboxes(value)
    if field.name.endswith("sender") and len(mailboxes) != 1:
        return Refusal.BAD_SENDER_FIELD
    if {address.domain for address in mailboxes} != {domain}:
        return Refusal.FOREIGN_HEADER
    if disguise.hides_text(value):
        return Refusal.HIDDEN_TEXT
    texts = (text for text, _address in headers.read_mailboxes(value))
    if any(disguise.shows_other_domain(text, domain) for text in texts):
        return Refusal.OTHER_ADDRESS
    return None
