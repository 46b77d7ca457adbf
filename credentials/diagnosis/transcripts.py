"""Lines that tools print in any session, to be removed before looking for the failure.

People paste whole sessions. A certificate's names, a size, a failed attempt before a successful one and
the message itself say nothing about the failure, whatever words they contain.
"""

import re

_INFORMATION = (
    # a server's offer, in its answer to EHLO; PHPMailer's and smtplib's lists of the same
    r"^.{0,60}\b250[- ](?:size|pipelining|8bitmime|smtputf8|auth|starttls|dsn|etrn|vrfy|chunking)\b.{0,80}$",
    r"^.{0,40}\bauth methods? (?:available on the server|requested|selected): .*$",
    r"^.{0,40}\brequested auth method not available: ?$",
    r"^reply: retcode \([23]\d\d\); msg: .*$",
    # swaks: its steps and the peer's certificate; an error begins with *** or <**
    r"^=== +(?:trying|connected|connection closed|tls|commonname=).*$",
    # curl -v: the certificate that it accepted, and its table of bytes
    r"^\* {1,3}(?:subject|issuer|start date|expire date|subjectaltname|ca(?:file|path)): .*$",
    r"^\* +ssl certificate verify (?:ok|result: .{0,80}, continuing anyway)\.$",
    r"^.{0,60}--:--:--.*$",
    # Nodemailer's logger, at the end of each session
    r"^\[.{19}\] (?:info|debug) .*connection closed$",
    # the code in a traceback of Python
    r"^ *file \"[^\"\n]{1,300}\", line \d{1,6}(?:, in .*)?\n.*$",
    # smtplib sends a message as bytes, commands as text
    r"^send: b'.*$",
)
# Failures, each with the words which show that the session continued.
_OVERCOME = (
    # curl -v tries one address after another
    (r"^\*? *(?:connect to .{1,120} failed: .*|immediate connect fail for .*)$", "* connected to "),
)
_NOISE = re.compile("|".join(_INFORMATION), re.IGNORECASE | re.MULTILINE)
_CONTENT_BEGINS = re.compile(r"(?<![\w.])354[ -]")


def without_noise(text: str) -> str:
    """Return the text without the lines that say nothing about the failure."""
    text = "\n".join(_without_content(text.split("\n")))
    for pattern, overcome in _OVERCOME:
        if overcome in text.lower():
            text = re.sub(pattern, "", text, flags=re.IGNORECASE | re.MULTILINE)
    return _NOISE.sub("", text)


def _without_content(lines: list[str]) -> list[str]:
    """Remove sent messages: what is between the reply 354 and the dot, if both are there."""
    kept, begun = [], None
    for line in lines:
        kept.append(line)
        if _CONTENT_BEGINS.search(line):
            begun = len(kept)
        elif begun is not None and _ends_content(line):
            del kept[begun:]
            begun = None
    return kept


def _ends_content(line: str) -> bool:
    """Whether this is the dot that ends a message (RFC 5321), after the prefix of the tool."""
    words = line.split()
    return words[-1:] == ["."] and (len(words) == 1 or words[-2][-1] in ">]:")
