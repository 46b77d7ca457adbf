"""What real software sends has one outcome, at the listener and at Postfix."""

import pytest

from tests.submission.clients import RECIPIENT, SENDER, finish, wait_until
from tests.submission.conftest import start_listener  # noqa: F401  (fixture)

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

FROM = f"From: Info <{SENDER}>\r\n".encode()
ADDED = f"From: {SENDER}\r\n".encode()
NAMES = b", ".join(b"Somebody With A Name <somebody.%d@example.org>" % number for number in range(45))
MAIL, RCPT = f"MAIL FROM:<{SENDER}>".encode(), f"RCPT TO:<{RECIPIENT}>".encode()
ALL = [MAIL, RCPT]

# What is sent, and a part of what the next hop gets of it; None: refused.
MESSAGES = {
    "dots": (FROM + b"\r\n..\r\n...\r\n..end\r\n", b"\r\n\r\n.\r\n..\r\n.end\r\n"),
    "8-bit text": (FROM + b"\r\n\xc3\xbc \xfc\r\n", b"\r\n\r\n\xc3\xbc \xfc\r\n"),
    "blanks at line ends": (FROM + b"\r\na \t \r\n\r\n", b"\r\n\r\na \t \r\n\r\n"),
    "folded header": (FROM + b"Subject: a\r\n b\r\n\tc\r\n\r\nx\r\n", b"Subject: a\r\n b\r\n\tc\r\n"),
    "bare LF in the body": (FROM + b"\r\none\ntwo\r\n", b"\r\n\r\none\r\ntwo\r\n"),
    "bare LF everywhere": (FROM.replace(b"\r", b"") + b"Subject: a\n\nb\n\r\n", b"Subject: a\r\n"),
    "no From": (b"Subject: x\r\n\r\nBody\r\n", ADDED),
    "no header": (b"\r\nBody\r\n", ADDED),
    "line of 998": (FROM + b"\r\n" + b"x" * 998 + b"\r\n", b"\r\n" + b"x" * 998 + b"\r\n"),
    "line of 999": (FROM + b"\r\n" + b"x" * 999 + b"\r\n", b"x" * 900),
    "line of 5000": (FROM + b"\r\n" + b"y" * 5000 + b"\r\n", b"y" * 900),
    "45 addresses in a line": (FROM + b"To: " + NAMES + b"\r\n\r\nx\r\n", b"somebody.44@example.org"),
    "blank continuation line": (FROM + b"Subject: a\r\n \r\n b\r\n\r\nx\r\n", b"\r\n b\r\n"),
    "NUL": (FROM + b"\r\na\0b\r\n", None),
}
# Commands after the login, and the first digit of the last reply.
COMMANDS = {
    "no brackets": ([f"MAIL FROM:{SENDER}".encode()], 2),
    "recipient without brackets": ([MAIL, f"RCPT TO:{RECIPIENT}".encode()], 2),
    "no blank before SIZE": ([MAIL + b"SIZE=1"], 2),
    "blank before the address": ([f"MAIL FROM: <{SENDER}>".encode()], 2),
    "commands in lower case": ([f"mail from:<{SENDER}> body=8bitmime".encode()], 2),
    "EHLO in Latin-1": ([b"EHLO M\xdcLLER-PC"], 2),
    "EHLO in UTF-8": (["EHLO MÜLLER-PC".encode()], 2),
    "EHLO with underscore": ([b"EHLO my_pc"], 2),
    "HELO": ([b"HELO printer", *ALL], 2),
    "long local part": ([MAIL, b"RCPT TO:<" + b"x" * 65 + b"@example.org>"], 2),
    "dot before the at": ([MAIL, b"RCPT TO:<x.@docomo.example.org>"], 2),
    "dots in a row": ([MAIL, b"RCPT TO:<x..y@example.org>"], 2),
    "120 recipients": ([MAIL, *(b"RCPT TO:<to-%d@example.org>" % number for number in range(120))], 2),
    "recipient without domain": ([MAIL, b"RCPT TO:<bob>"], 5),
    "recipient at one label": ([MAIL, b"RCPT TO:<bob@localhost>"], 5),
    "recipient at an address": ([MAIL, b"RCPT TO:<bob@[192.0.2.1]>"], 5),
    "null sender": ([b"MAIL FROM:<>"], 2),
    "unknown parameter": ([MAIL + b" FOO=1"], 5),
    "VRFY": ([b"VRFY bob"], 5),
    "second MAIL": ([MAIL, MAIL], 5),
    "RCPT after a second EHLO": ([*ALL, b"EHLO again", RCPT], 5),
}
# Postfix with SMTPUTF8 takes no other 8-bit characters in commands.
LISTENER_ONLY = {"EHLO in Latin-1"}


def on_both(table):
    names = [("postfix", name) for name in table if name not in LISTENER_ONLY]
    names += [("listener", name) for name in table]
    return pytest.mark.parametrize(("server", "name"), sorted(names))


@pytest.fixture(scope="module")
def relaying(start_listener, sink):  # noqa: F811
    """The listener, with Postfix's next hop."""
    with start_listener(SMTP_RELAY_URL=sink.url) as listener:
        yield listener


@pytest.fixture
def smtp(mail, relaying, credential, server):
    """A client that is logged in; Postfix would trust its own address more."""
    return {"listener": relaying, "postfix": mail}[server].login(credential, source="127.0.0.9")


def say(smtp, line):
    smtp.sock.sendall(line + b"\r\n")
    return smtp.getreply()


@on_both(MESSAGES)
def test_message_arrives_or_is_refused(smtp, sink, server, name):
    content, delivered = MESSAGES[name]
    for line in (*ALL, b"DATA"):
        assert say(smtp, line)[0] < 400
    reply = finish(smtp, content)
    assert reply[0] // 100 == (2 if delivered else 5), reply
    if delivered:
        ((sender, recipients, arrived),) = wait_until(lambda: sink.sink.messages)
        assert (sender, recipients) == (SENDER, [RECIPIENT])
        assert delivered in arrived and max(map(len, arrived.split(b"\r\n"))) <= 1000


@on_both(COMMANDS)
def test_command_is_accepted_or_refused(smtp, server, name):
    lines, digit = COMMANDS[name]
    replies = [say(smtp, line) for line in lines]
    assert replies[-1][0] // 100 == digit, replies[-1]
