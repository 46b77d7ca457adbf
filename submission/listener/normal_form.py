"""What is mended in a message before it is judged: line ends, long lines, headers of careless programs.

Postfix mends the same (smtpd_forbid_bare_newline = normalize, cleanup_replace_stray_cr_lf,
smtp_line_length_limit, always_add_missing_headers), so that a program can use either. No Django, no sockets.
"""

import re

from submission.policy.headers import MAX_SECTION

MAX_LINE = 998  # octets without CRLF, RFC 5322 section 2.1.1

_LEADING_MAILBOX_LINES = re.compile(rb"\A(?:>*+From [^\r\n]*+\r\n)++")  # mbox(5)
_BLANK_CONTINUATIONS = re.compile(rb"(?<=[^\r\n])\r\n(?:[ \t]++\r\n)++")
# A message that is sent again gets no From, since its author is another one than the sender.
_FROM = re.compile(rb"(?:\A|\n)(?:from|resent-[a-z-]++)[ \t]*+:", re.IGNORECASE)


def normalize(lines: bytes | bytearray) -> bytes:
    """Return whole lines with CRLF ends of at most 998 octets.

    A bare LF ends a line, a bare CR becomes a blank: a next hop that took either for the end of a line
    could be sent a second message in this one (CVE-2023-51764).
    """
    text = bytes(lines)
    if not text.count(b"\n") == text.count(b"\r\n") == text.count(b"\r"):
        text = b"\r\n".join(line.rstrip(b"\r").replace(b"\r", b" ") for line in text.split(b"\n"))
    if len(text) > MAX_LINE and max(map(len, text.split(b"\n"))) > MAX_LINE + 1:
        text = b"\r\n".join(piece for line in text.split(b"\r\n") for piece in break_line(line))
    return text


def break_line(line: bytes | bytearray) -> list[bytes]:
    """Return a line in pieces of at most 998 octets, each but the first beginning with a blank.

    So a field is folded, and text keeps its words. Postfix breaks lines anywhere, and adds the blank; here
    that is done only without a blank or comma in the second half of a piece.
    """
    pieces, start, lead = [], 0, b""
    while len(lead) + len(line) - start > MAX_LINE:
        end = start + MAX_LINE - len(lead)
        middle = start + MAX_LINE // 2
        stop, next_lead = max(line.rfind(b" ", middle, end + 1), line.rfind(b"\t", middle, end + 1)), b""
        if stop < 0:
            stop, next_lead = line.rfind(b",", middle, end) + 1 or _between_characters(line, end), b" "
        pieces.append(lead + line[start:stop])
        start, lead = stop, next_lead
    return [*pieces, lead + line[start:]]


def mend_header(content: bytearray, sender: str) -> None:
    """Drop lines that aren't fields, and add From with the sender if it is missing.

    Dropped are lines of blanks within a field, where some parsers would end the header, and the first line
    of an mbox file.
    """
    end = 0 if content.startswith(b"\r\n") else content.find(b"\r\n\r\n", 0, MAX_SECTION) + 2
    if end == 1:
        end = len(content)
    if end > MAX_SECTION:
        return
    section = bytes(content[:end])
    mended = _BLANK_CONTINUATIONS.sub(b"\r\n", _LEADING_MAILBOX_LINES.sub(b"", section))
    if sender and not _FROM.search(mended):
        mended = f"From: {sender}\r\n".encode() + mended
    if mended != section:
        content[:end] = mended


def _between_characters(line: bytes | bytearray, stop: int) -> int:
    """The last position up to `stop` that is not within a character of UTF-8."""
    for position in range(stop, stop - 4, -1):
        if line[position] & 0xC0 != 0x80:
            return position
    return stop
