"""Whether a From or Sender makes its reader see another sender than the one whose domain was judged.

headers.mailboxes reads addresses as RFC 5322 defines them, but people see what their mail program makes of
the same text. Known attacks use the difference (Chen, Paxson and Jiang, "Composition Kills", USENIX Security
2020; Shen and others, "Weak Links in Authentication Chains", USENIX Security 2021; Haddouche, "Mailsploit",
2017). So each mailbox is read a second time, sloppily: as it is, and with its encoded words decoded first, as
some programs do. Refused are

- another domain's address in angle brackets anywhere, even in quotes and comments: some programs use the
  first or the last `<…>` and ignore quotes, `(<ceo@bank.example>) a@own` or
  `"Boss <ceo@bank.example>" <a@own>`;
- another domain's address outside of quotes: in a leading comment, or in the words of the name, such as
  `=?utf-8?q?ceo=40bank.example?= <a@own>` when it is decoded too early;
- another domain's address anywhere, where an encoded word holds a comma, colon or semicolon: some programs end
  a mailbox there, and take a name in quotes for its address, `"ceo@bank.example" =?utf-8?q?,?= <a@own>`;
- what changes the direction of the text or is invisible: bidi embeddings, overrides and isolates let the
  address be read backwards, line breaks and control characters cut the text off, and many spaces in a row
  move the address out of the window.

Accepted is what sites send and no program mistakes: an address in a quoted name (`"ann@gmail.example" <a@own>`,
`"ann@gmail.example via Shop" <a@own>`: contact forms, ticket systems) or in a comment after the name
(`Ann (ann@gmail.example) <a@own>`) or after the address, shown as a name next to the address; the own address
as the name; characters of any script, with the joiners and marks that scripts and emoji need, in any charset.
The name itself is free: nobody can tell who is "Ann".
"""

import binascii
import re
from encodings import normalize_encoding
from encodings.aliases import aliases

import regex

from submission.policy.addresses import COMMENT, BadAddress, domain_name

MAX_CONSECUTIVE_BLANKS = 30
MAX_BLANKS = 150  # ten mailboxes have some 40

_ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]*+)\?=")
_BETWEEN_ENCODED_WORDS = re.compile(r"(?<=\?=)[ \t]++(?==\?)")
# Only these: Python imports and caches a module for any name it is asked for.
_CHARSETS = {*aliases, *aliases.values()}
# Mail programs read these as the superset of Windows, as the WHATWG encoding standard says.
_SUPERSETS = dict.fromkeys(("us_ascii", "ascii", "iso_8859_1", "iso8859_1", "latin1", "latin_1"), "cp1252")

_ANGLED = re.compile(r"<([^<>]*[^\s<>]@[^\s<>][^<>]*+)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_LEADING_COMMENT = re.compile(rf"\s*+({COMMENT})")
_WORD = r"[^\s<>()\[\],;:\"@]"
# With what some programs take for more of the domain: a second @, and words with a dot behind blanks.
_MORE = rf"\s*+@\s*+{_WORD}++|\s++[^\s<>()\[\],;:\"@.]*+\.{_WORD}*+"
_ADDRESS_LIKE = re.compile(rf"(?<!{_WORD}){_WORD}++\s*+@\s*+({_WORD}++(?:{_MORE})*+)")

_SEPARATOR = re.compile("[,;:]")

_BLANKS = r"\s\p{Zs}\N{BRAILLE PATTERN BLANK}\u115f\u1160\u3164\uffa0"
_BLANK = regex.compile(f"[{_BLANKS}]")
_ROW_OF_BLANKS = regex.compile(f"[{_BLANKS}]{{{MAX_CONSECUTIVE_BLANKS},}}+")
# Invisible, but part of words: variation selectors after what they change, joiners between letters
# (Persian, Sinhala) or emoji, the tags of a flag, soft hyphens, and direction marks, which Hebrew and
# Arabic need and which don't reorder letters.
_PART_OF_A_WORD = regex.compile(
    r"(?<=[^\s\p{Cc}])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    r"|(?<=[\p{L}\p{M}\p{S}])[\u200c\u200d](?=[\p{L}\p{M}\p{S}])"
    r"|(?<=\U0001f3f4)[\U000e0020-\U000e007f]++"
    r"|[\u00ad\u061c\u200e\u200f]"
)
_HIDDEN = regex.compile(
    r"[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\t\u115f\u1160\u3164\uffa0]]",
    regex.VERSION1,
)


def hides_text(value: str) -> bool:
    """Whether a header's value contains text that readers can't see. For some thousand characters at most."""
    text = _decoded(value)
    return bool(
        _HIDDEN.search(_PART_OF_A_WORD.sub("", text))
        or _ROW_OF_BLANKS.search(text)
        or len(_BLANK.findall(text)) > MAX_BLANKS
    )


def shows_other_domain(mailbox: str, domain: str) -> bool:
    """Whether a mailbox of `domain` could be mistaken for one of another domain."""
    for text in (mailbox, _decoded(mailbox)):
        shown = [address.rpartition("@")[2] for address in _ANGLED.findall(text)] + _unquoted_domains(text)
        if _SEPARATOR.search(re.sub(COMMENT, " ", _QUOTED.sub(" ", text))):
            shown += _ADDRESS_LIKE.findall(text)
        if not all(_is_same(domain, candidate) for candidate in shown):
            return True
    return False


def _unquoted_domains(text: str) -> list[str]:
    """The domains of addresses in leading comments, and of those outside of comments."""
    text = _QUOTED.sub(" ", text)
    shown, position = [], 0
    while comment := _LEADING_COMMENT.match(text, position):
        shown += _ADDRESS_LIKE.findall(comment[1])
        position = comment.end()
    return shown + _ADDRESS_LIKE.findall(re.sub(COMMENT, " ", text))


def _is_same(domain: str, candidate: str) -> bool:
    candidate = candidate.strip(" \t\"'.")
    if "." not in candidate:  # `Shop @ Berlin`
        return True
    try:
        return domain_name(candidate) == domain
    except BadAddress:
        return False


def _decoded(text: str) -> str:
    """The text with its encoded words (RFC 2047) decoded wherever they are."""
    return _ENCODED_WORD.sub(_decode_word, _BETWEEN_ENCODED_WORDS.sub("", text))


def _decode_word(match: re.Match) -> str:
    charset, encoding, text = normalize_encoding(match[1].lower()), match[2], match[3]
    if charset not in _CHARSETS:  # mail programs show it as it is
        return match[0]
    try:
        octets = text.encode(errors="surrogateescape")
        octets = binascii.a2b_qp(octets, header=True) if encoding in "qQ" else _base64(octets)
        return octets.decode(_SUPERSETS.get(charset, charset), errors="replace")
    except (LookupError, ValueError):  # not a text charset, or not base64
        return match[0]


def _base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
