"""Lines that tools print of any session, to be left out before the line that failed is looked for.

People paste whole sessions. A certificate's names, a size, a try that another one made up for and
the message itself say nothing of what failed, whatever words are in them.
"""

import re

_INFORMATION = (
    # a server's offer, in its answer to EHLO; PHPMailer's and smtplib's lists of the same
    r"^.{0,60}\b250[- ](?:size|pipelining|8bitmime|smtputf8|auth|starttls|dsn|etrn|vrfy|chunking)\b.{0,80}$",
    r"^.{0,40}\bauth methods? (?:available on the server|requested|selected): .*$",
    r"^.{0,40}\brequested auth method not available: ?$",
    r"^reply: retcode \([23]\d\d\); msg: .*$",
    # swaks: what it does, and the peer's certificate; an error begins with *** or <**
    r"^=== +(?:trying|connected|connection closed|tls|commonname=).*$",
    # curl -v: the certificate that it took, and its table of bytes
    r"^\* {1,3}(?:subject|issuer|start date|expire date|subjectaltname|ca(?:file|path)): .*$",
    r"^\* +ssl certificate verify (?:ok|result: .{0,80}, continuing anyway)\.$",
    r"^.{0,60}--:--:--.*$",
    # Nodemailer's logger, at the end of each session
    r"^\[.{19}\] (?:info|debug) .*connection closed$",
    # smtplib sends a message as bytes, commands as text
    r"^send: b'.*$",
)
# Failures, each with the words that show that the session went on all the same.
_OVERCOME = (
    # curl -v tries one address after another
    (r"^\*? *(?:connect to .{1,120} failed: .*|immediate connect fail for .*)$", "* connected to "),
)
_NOISE = re.compile("|".join(_INFORMATION), re.IGNORECASE | re.MULTILINE)
_CONTENT_BEGINS = re.compile(r"(?<![\w.])354[ -]")


def without_noise(text: str) -> str:
    """A text without the lines that say nothing of what failed."""
    text = "\n".join(_without_content(text.split("\n")))
    for pattern, overcome in _OVERCOME:
        if overcome in text.lower():
            text = re.sub(pattern, "", text, flags=re.IGNORECASE | re.MULTILINE)
    return _NOISE.sub("", text)


def _without_content(lines: list[str]) -> list[str]:
    """Without the messages that were sent: between the reply 354 and the dot, where both are there."""
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
    """Whether this is the dot that ends a message (RFC 5321), after what the tool puts before a line."""
    words = line.split()
    return words[-1:] == ["."] and (len(words) == 1 or words[-2][-1] in ">]:")
