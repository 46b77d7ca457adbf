"""Judging a domain's SPF record: whether the operator's servers may send, and a valid record if not."""

from collections.abc import Callable
from dataclasses import replace

from domains.dns import spf
from domains.dns.records import Judgement, Record, Status
from domains.dns.resolver import MAX_VALUE, Answer
from domains.dns.spf_evaluation import MAX_LOOKUPS, TOO_MANY_LOOKUPS, Reading, evaluate, lists

Ask = Callable[[str, str], Answer]
Values = tuple[str, ...]
MAX_STRING = 255  # of one string of a TXT record; longer values are several
LONG = "Some DNS providers want a value of more than 255 characters as several strings in quotation marks."


def judge(record: Record, values: Values, ask: Ask) -> Judgement:
    """Judge the TXT values at a name. `ask` answers for the names that they lead to."""
    found = spf.spf_records(values)
    if len(found) == 1:
        reading = evaluate(found[0], record.host, record.include, ask)
        if reading.passes == "include":
            return _passing(record, reading, found, ask)
    if trouble := _trouble_of_operator(record, ask):
        return Judgement(Status.UNKNOWN, trouble, found)
    if not found:
        return _missing(record, values, ask)
    if len(found) > 1:
        message = f"There are {len(found)} SPF records, so receivers treat them as an error. Keep one."
        return _wrong(record, message, found, ask)
    return _failing(record, reading, found, ask)


def _passing(record: Record, reading: Reading, found: Values, ask: Ask) -> Judgement:
    if reading.doubt:
        message = (
            f"Whether this server may send can't be told: {_shown(reading.doubt)} comes before "
            f"include:{record.include} and may exclude it. Put the include first."
        )
        return _with_suggestion(Status.UNKNOWN, record, message, found, ask)
    message = ""
    if len(reading.through) > 1:
        message = f"It includes {record.include} through {reading.through[0]}."
    if reading.later and not reading.later.is_unknown:
        message = f"This server may send, but mail of others may fail SPF. {reading.later}"
    return Judgement(Status.VERIFIED, message, found)


def _failing(record: Record, reading: Reading, found: Values, ask: Ask) -> Judgement:
    if reading.stop and reading.stop.is_unknown:
        return Judgement(Status.UNKNOWN, f"This could not be checked: {reading.stop}", found)
    if reading.stop:
        return _wrong(record, str(reading.stop), found, ask)
    if reading.passes == "all":
        message = (
            "It ends in +all, so anyone can send as this domain, and many receivers distrust it. Replace +all "
            f"by include:{record.include}, the includes of your other senders, and ~all."
        )
        return Judgement(Status.WRONG, message, found)
    if reading.excluded:
        message = f"{_shown(reading.excluded)} keeps this server from sending."
        return _wrong(record, message, found, ask)
    if reading.macro:
        message = (
            f"Whether this server may send can't be told: {_shown(reading.macro)} depends on each message. "
            f"Where you manage it, add this server, or add include:{record.include} before it."
        )
        return Judgement(Status.UNKNOWN, message, found)
    if lists(reading, _of_operator(record, ask)):
        message = f"It lists the networks of {record.include}. Change them whenever that one changes."
        return Judgement(Status.VERIFIED, message, found)
    if f"include:{record.include}".lower() in found[0].lower().split(" "):
        message = f"include:{record.include} comes after all, where it is ignored. Put it before."
        return _wrong(record, message, found, ask)
    judged = _wrong(record, f"Your SPF record has no include:{record.include}.", found, ask)
    if judged.suggested:
        return replace(judged, message=f"{judged.message} Add it and keep the rest; don't add a second record.")
    return judged


def _missing(record: Record, values: Values, ask: Ask) -> Judgement:
    lookalikes = spf.lookalikes(values)
    if not lookalikes:
        return Judgement(Status.MISSING, "The domain has no SPF record yet. Add this one.")
    message = "Receivers ignore this record: it has to begin with v=spf1 and a blank, with nothing before them."
    return _wrong(record, message, lookalikes, ask)


def _trouble_of_operator(record: Record, ask: Ask) -> str:
    """Return why including the operator's record would break a domain's; "" when it wouldn't."""
    reading = _of_operator(record, ask)
    if not reading.stop or reading.stop.is_unknown:
        return ""
    return (
        f"Don't add this yet: the SPF record of {record.include} is not valid, which would make yours an "
        f"error. Ask the operator of this server to correct it. {reading.stop}"
    )


def _of_operator(record: Record, ask: Ask) -> Reading:
    """Return what the operator's own record comes to, through an include of it alone."""
    return evaluate(record.value, record.host, record.include, ask)


def _wrong(record: Record, message: str, found: Values, ask: Ask) -> Judgement:
    return _with_suggestion(Status.WRONG, record, message, found, ask)


def _with_suggestion(status: Status, record: Record, message: str, found: Values, ask: Ask) -> Judgement:
    """Add a value that is known to be valid, or the reason why there is none."""
    suggested = spf.merge((spf.repaired(value) for value in found), record.include)
    reading = evaluate(suggested, record.host, record.include, ask)
    is_open = not reading.stop and any(term.name == "all" and term.lets_pass for term in spf.parse(suggested))
    if reading.is_sound and not is_open and len(suggested) <= MAX_VALUE:
        if len(suggested) > MAX_STRING:
            message = f"{message} {LONG}"
        return Judgement(status, message, found, suggested)
    return Judgement(status, f"{message} {_reason(reading, message, is_open=is_open)}".rstrip(), found)


def _reason(reading: Reading, message: str, *, is_open: bool) -> str:
    """Return why a value isn't suggested; "" when the message says it already."""
    trouble = str(reading.stop or reading.later or "")
    if is_open:
        return "No value is suggested, since +all lets anyone send as this domain."
    if trouble == TOO_MANY_LOOKUPS:
        limit = f"With it, the record would take more than {MAX_LOOKUPS} DNS lookups, an error to receivers. "
        return f"{'' if trouble in message else limit}First remove includes that you no longer need."
    if trouble:
        return "" if trouble in message else f"No value is suggested, since it would not be valid. {trouble}"
    if reading.macro:
        return f"No value is suggested, since the DNS lookups of {_shown(reading.macro)} can't be counted."
    return "No value is suggested, since it would be too long."


def _shown(term: str) -> str:
    return f"“{term[:60]}”"
