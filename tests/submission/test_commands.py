"""Order and syntax of commands, and commands that are not offered.

Each table runs in one session, which must stay usable after a refusal.
"""

import pytest

from submission.listener import replies
from tests.factories import password_of
from tests.submission.clients import SENDER, auth_login, auth_plain, closed, submit

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

MAIL = f"MAIL FROM:<{SENDER}>"

NOT_OFFERED = ["VRFY root", "VRFY info@sl.example.com", "VRFY", "EXPN list", "ETRN x", "TURN", "HELP"]
UNKNOWN = [
    "BDAT 3 LAST",
    "XCLIENT a=b",
    "PROXY TCP4",
    "GET / HTTP/1.1",
    "\x00",
    "é",
    "",
    " MAIL",
    "MAIL\x00FROM",
]
STRANGE_NAMES = [
    "<script>alert(1)</script>",
    "a b",
    "[127.0.0.1]",
    "my_pc",
    "münchen",
    "-",
    "a..b",
    "localhost",
]
STRANGE_NAMES += ["x" * 256, "x" * 990, "a\x00b", "a\x1b[31mb", "a\u202eb", "\u200b", "[IPv6:::1]", "@", "a;b"]
MAIL_ARGUMENTS = {
    "": 501,
    SENDER: 501,
    "FROM:": 501,
    "FROM:<>": 250,
    "FROM: <>": 250,
    "FROM:<> SIZE=1": 250,
    f"TO:<{SENDER}>": 501,
    f"FROM:{SENDER}": 250,
    f"FROM: \t {SENDER}": 250,
    f"FROM:{SENDER} SIZE=1 BODY=8BITMIME": 250,
    f"FROM:   <{SENDER}>  SIZE=1": 250,
    "FROM:x@evil.example": 553,
    "FROM:<x@evil.example>": 553,
    "FROM:info": 501,
    "FROM:<info>": 501,
    f"FROM:<{SENDER}": 501,
    f"FROM:{SENDER}>": 501,
    f"FROM:<{SENDER}>,": 501,
    f"FROM:Info <{SENDER}>": 501,
    f"FROM:{SENDER},x@evil.example": 501,
    f"FROM:{SENDER} <x@evil.example>": 501,
    "FROM:<x..y@sl.example.com>": 501,
    f"FROM:<{'x' * 65}@sl.example.com>": 501,
    f"FROM:<{SENDER}> SIZE=1000 BODY=8BITMIME": 250,
    f"FROM:<{SENDER}> body=7bit auth=<>": 250,
    f"from: <{SENDER}> AUTH=x@y.example": 250,
    f"FROM:<{SENDER}> SIZE=26214400": 250,
    f"FROM:<{SENDER}> SIZE=26214401": 552,
    f"FROM:<{SENDER}> SIZE={'9' * 20}": 552,
    f"FROM:<{SENDER}> SIZE=-1": 501,
    f"FROM:<{SENDER}> SIZE": 501,
    f"FROM:<{SENDER}> SIZE=1 SIZE=1": 501,
    f"FROM:<{SENDER}> BODY=BINARYMIME": 501,
    f"FROM:<{SENDER}> SMTPUTF8=yes": 501,
    f"FROM:<{SENDER}> SIZE==": 501,
    f"FROM:<{SENDER}> RET=HDRS": 555,
    f"FROM:<{SENDER}> X=1": 555,
    f"FROM:<{SENDER}>SIZE=1": 250,
    f"FROM:<{SENDER}>SIZE=1 BODY=8BITMIME": 250,
    f"FROM:<{SENDER}>SIZE=99999999": 552,
    f"FROM:<{SENDER}>x@evil.com": 501,
    f"FROM:<{SENDER}><x@evil.com>": 501,
}
RCPT_ARGUMENTS = {
    "TO:<a@example.org>": 250,
    'TO:<"john doe"@example.org>': 250,
    "TO:a@example.org": 250,
    "TO: a@example.org": 250,
    f"TO:<{'x' * 65}@example.org>": 250,
    f"TO:<{'x' * 900}@example.org>": 250,
    "TO:<x.@docomo.ne.jp>": 250,
    "TO:<.x..y.@docomo.ne.jp>": 250,
    "TO:<x y@example.org>": 553,
    "TO:x y@example.org": 501,
    "": 501,
    "FROM:<a@example.org>": 501,
    "TO:<>": 553,
    "TO:<a>": 553,
    "TO:<postmaster>": 553,
    "TO:<a@localhost>": 553,
    "TO:<a@[127.0.0.1]>": 553,
    "TO:<a@b@example.org>": 553,
    "TO:<@x.example:a@example.org>": 553,
    "TO:<a\x00@example.org>": 553,
    "TO:<a@example.org\x00>": 553,
    'TO:<"a\x07"@example.org>': 553,
    "TO:<grün@example.org>": 553,
    "TO:<a@example.org> NOTIFY=NEVER": 555,
}


@pytest.fixture
def smtp(smtp):
    smtp.command_encoding = "utf-8"
    return smtp


def test_ehlo_lists_exactly_the_supported_extensions(secure):
    offered = {"size": "26214400", "pipelining": "", "8bitmime": "", "smtputf8": "", "auth": " LOGIN PLAIN"}
    assert secure.esmtp_features == offered


def test_vrfy_expn_and_help_are_not_implemented(smtp):
    assert {smtp.docmd(command) for command in NOT_OFFERED} == {(502, b"5.5.1 Command not implemented")}


def test_unknown_commands_are_refused(smtp):
    assert {smtp.docmd(command)[0] for command in UNKNOWN} == {500, 501}


def test_mail_requires_login(secure):
    assert secure.docmd(MAIL) == (530, b"5.7.0 Authentication required")


def test_commands_out_of_order_are_refused(smtp):
    assert smtp.docmd("RCPT TO:<a@example.org>")[0] == 503
    assert smtp.docmd("DATA")[0] == 503
    assert smtp.docmd(MAIL)[0] == 250
    assert smtp.docmd(MAIL)[0] == 503
    assert smtp.docmd("DATA")[0] == 503


@pytest.mark.parametrize("command", ["RSET", "EHLO again"])
def test_rset_and_ehlo_abort_the_transaction(smtp, command):
    assert smtp.docmd(MAIL)[0] == 250
    assert smtp.docmd("RCPT TO:<a@example.org>")[0] == 250
    assert smtp.docmd(command)[0] == 250
    assert smtp.docmd("DATA")[0] == 503
    assert submit(smtp)[0] == 250


def test_mail_arguments_are_parsed_strictly(smtp):
    for argument, code in MAIL_ARGUMENTS.items():
        assert (argument, smtp.docmd("MAIL", argument)[0]) == (argument, code)
        smtp.docmd("RSET")
        assert code == 250 or submit(smtp)[0] == 250  # so that the errors aren't too many


def test_rcpt_arguments_are_parsed_strictly(smtp):
    smtp.docmd(MAIL)
    for argument, code in RCPT_ARGUMENTS.items():
        assert (argument, smtp.docmd("RCPT", argument)[0]) == (argument, code)


def test_data_takes_no_argument(smtp):
    smtp.docmd(MAIL)
    smtp.docmd("RCPT TO:<a@example.org>")
    assert smtp.docmd("DATA now")[0] == 501
    assert smtp.docmd("DATA")[0] == 354


def test_missing_hello_name_is_refused(smtp):
    assert {smtp.docmd(command)[0] for command in ("EHLO", "EHLO ", "HELO \t")} == {501}


def test_unusual_hello_name_is_sanitized_in_received(smtp, outbox):
    for name in STRANGE_NAMES:
        assert smtp.docmd("EHLO", name)[0] == 250
        assert submit(smtp)[0] == 250
    for message in outbox():
        received = message.partition(b"Received: from ")[2].partition(b"\r\n")[0].decode("ascii")
        assert received.isprintable() and not set(received) & set("<>/;@")
        assert len(received) < 300
        assert received.endswith(" ([127.0.0.1])")
    assert len(outbox()) == len(STRANGE_NAMES)


def test_latin_1_hello_name_is_accepted(secure, credential, outbox):
    secure.command_encoding = "latin-1"
    for hello in ("HELO M\xdcLLER-PC", "EHLO M\xdcLLER-PC"):
        assert secure.docmd(hello)[0] == 250
    assert auth_plain(secure, credential.username, password_of(credential))[0] == 235
    assert submit(secure)[0] == 250
    assert b"Received: from M?LLER-PC ([127.0.0.1])" in outbox()[0]


def test_login_after_helo_is_accepted(secure, credential):
    assert secure.docmd("HELO printer")[0] == 250
    assert auth_login(secure, credential.username, password_of(credential))[0] == 235
    assert submit(secure)[0] == 250


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("AUTH", replies.BAD_ARGUMENT),
        ("AUTH PLAIN a b", replies.BAD_ARGUMENT),
        ("AUTH CRAM-MD5", replies.UNKNOWN_MECHANISM),
        ("STARTTLS", replies.TLS_ALREADY),
    ],
)
def test_refusals_have_the_exact_reply(secure, command, reply):
    code, text = secure.docmd(command)
    assert f"{code} {text.decode()}" == reply


def test_starttls_takes_no_argument(listener):
    smtp = listener.connect()
    assert smtp.docmd("STARTTLS now") == (501, replies.BAD_ARGUMENT[4:].encode())
    assert smtp.docmd("STARTTLS")[0] == 220


def test_mail_parameters_after_helo_are_refused(smtp):
    assert smtp.docmd("HELO old")[0] == 250
    assert smtp.docmd(f"{MAIL} SIZE=1")[0] == 555
    assert submit(smtp)[0] == 250


def test_quit_closes_the_connection(smtp):
    assert smtp.docmd("QUIT") == (221, b"2.0.0 Bye")
    assert closed(smtp)


def test_pipelined_commands_are_answered_in_order(smtp):
    smtp.sock.sendall(f"{MAIL}\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<bad>\r\nDATA\r\n".encode())
    assert [smtp.getreply()[0] for _ in range(4)] == [250, 250, 553, 354]
