"""SPF records (RFC 7208): finding them among TXT values, reading one, and merging several into one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from domains.dns.hosts import is_host

_RECORD = re.compile(r"v=spf1(?: |\Z)", re.I)
# What was meant as one, and receivers ignore. Not spf2.0, which is Sender ID.
_LOOKALIKE = re.compile(r"[\s\"'\\]*+(?:v\s*+[=:]?\s*+)?+spf1(?![0-9])\s*+", re.I)
_MECHANISM = re.compile(r"([+?~-]?)([a-z][a-z0-9]*+)(?:([:/])(.*))?", re.I)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*+)=(.*)", re.I)
_MACRO = re.compile(r"%(?:\{[slodiphcrtv][0-9]*+r?[.+,/_=-]*+\}|[%_-])", re.I)
_PREFIXES = re.compile(r"([^/]*+)(?:/([0-9]{1,2}))?(?://([0-9]{1,3}))?")
_STRAY_BLANK = re.compile(r"(?<= )([+?~-]?(?:include|exists|ip4|ip6|ptr|a|mx):|redirect=) ++(?=\S)", re.I)
_STRAY_EQUALS = re.compile(r"(?<= )([+?~-]?(?:include|exists|ip4|ip6|ptr|a|mx))=(?=\S)", re.I)
# No-break spaces and tabs, as the resolver returns them, and what people put between terms.
_OTHER_BLANK = re.compile(r"\\194\\160|\\009|[;,\"]")


class Invalid(ValueError):
    """A term that makes the whole record an error to receivers (permerror); str() is a sentence."""


@dataclass(frozen=True)
class Term:
    """A term of a record: a mechanism with its qualifier, or a modifier, whose qualifier is "".

    `value` is in lower case and without the root's dot; "" for none.
    """

    text: str
    qualifier: str
    name: str
    value: str

    @property
    def lets_pass(self) -> bool:
        return self.qualifier in ("+", "")

    @property
    def has_macro(self) -> bool:
        return "%" in self.value


def spf_records(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if _RECORD.match(value))


def lookalikes(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that somebody meant as an SPF record, but that aren't one."""
    return tuple(value for value in values if _LOOKALIKE.match(value) and not _RECORD.match(value))


def repaired(value: str) -> str:
    """Return a record, or what was meant as one, without stray blanks and quotation marks, and `:` for `=`."""
    text = _OTHER_BLANK.sub(" ", value).strip(" \t\"'\\")
    head = _LOOKALIKE.match(text)
    text = "v=spf1 " + " ".join(text[head.end() if head else 0 :].split())
    return _STRAY_EQUALS.sub(r"\1:", _STRAY_BLANK.sub(r"\1", text))


def parse(record: str) -> list[Term]:
    """Return the terms of a record in the order in which they count. Raises Invalid.

    `all` and what follows it come last, `redirect` only without `all` (RFC 7208 section 6.1).
    """
    terms = [_term(text) for text in record.split(" ")[1:] if text]
    redirects = [term for term in terms if term.name == "redirect"]
    if len(redirects) > 1 or sum(term.name == "exp" for term in terms) > 1:
        raise Invalid("It has redirect= or exp= twice.")
    ordered: list[Term] = []
    for term in terms:
        if term.qualifier:
            ordered.append(term)
            if term.name == "all":
                return ordered
    return [*ordered, *redirects]


def merge(records: Iterable[str], include: str) -> str:
    """Merge SPF records into one that includes a host's first, with the first `all` or `redirect` at the end.

    Where one has `all`, another's `redirect` would be ignored, so it becomes an `include`.
    """
    included = re.compile(rf"[+?~-]?include:{re.escape(include)}\.?", re.I)
    terms: dict[str, None] = {}  # ordered, and without duplicates
    ends: list[str] = []
    redirects: list[str] = []
    for term in (term for record in records for term in record.split()[1:]):
        if re.fullmatch(r"[+?~-]?all", term, re.I):
            ends.append(term)
        elif term.lower().startswith("redirect="):
            redirects.append(term)
        elif not included.fullmatch(term):
            terms[term] = None
    if ends or len(set(redirects)) > 1:
        terms |= dict.fromkeys(f"include:{redirect.partition('=')[2]}" for redirect in redirects)
        redirects = []
    return " ".join(["v=spf1", f"include:{include}", *terms, *([*ends, *redirects] or ["~all"])[:1]])


def _term(text: str) -> Term:
    shown = f"“{text[:60]}” isn't valid SPF, so receivers treat the whole record as an error."
    if modifier := _MODIFIER.fullmatch(text):
        name = modifier[1].lower()
        value = modifier[2].lower().removesuffix(".")
        if name in _VALUES:
            raise Invalid(f"“{text[:60]}” has = instead of a colon.")
        if name in ("redirect", "exp") and not _is_domain(value):
            raise Invalid(shown)
        return Term(text, "", name, value)
    mechanism = _MECHANISM.fullmatch(text)
    if not mechanism:
        raise Invalid(shown)
    name, value = mechanism[2].lower(), mechanism[4] or ""
    value = value.lower() if mechanism[3] != "/" else f"/{value}"
    check = _VALUES.get(name)
    if not check or not check(value) or (mechanism[3] == ":" and not value):
        raise Invalid(shown)
    domain = _PREFIXES.fullmatch(value) if name in ("a", "mx") else None
    return Term(text, mechanism[1] or "+", name, (domain[1] if domain else value).removesuffix("."))


def _is_domain(value: str) -> bool:
    """Whether a value is a domain-spec (section 7.1): a name with a dot, or one with valid macros."""
    value = value.removesuffix(".")
    if "%" in value:
        return len(value) <= 512 and "%" not in _MACRO.sub("", value)
    return is_host(value) and "." in value


def _is_optional_domain(value: str) -> bool:
    return not value or _is_domain(value)


def _is_host_with_prefixes(value: str) -> bool:
    match = _PREFIXES.fullmatch(value)
    if not match or int(match[2] or 0) > 32 or int(match[3] or 0) > 128:
        return False
    return _is_optional_domain(match[1])


def _is_network(kind: type[IPv4Network] | type[IPv6Network]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            kind(value, strict=False)
        except ValueError:
            return False
        return bool(re.fullmatch(r"[0-9a-f:.]++(?:/[0-9]++)?", value, re.I))

    return check


_VALUES: dict[str, Callable[[str], bool]] = {
    "all": lambda value: not value,
    "include": _is_domain,
    "exists": _is_domain,
    "a": _is_host_with_prefixes,
    "mx": _is_host_with_prefixes,
    "ptr": _is_optional_domain,
    "ip4": _is_network(IPv4Network),
    "ip6": _is_network(IPv6Network),
}
