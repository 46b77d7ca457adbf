"""From and Sender behind Postfix: `manage.py milter` holds them to the credential's domain."""

from smtplib import SMTPException

import pytest

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.parser import read
from submission.listener import replies
from submission.policy.sender import Refusal
from tests.factories import password_of
from tests.mail import acts
from tests.mail.clients import Mail
from tests.mail.daemons import mail_server
from tests.mail.milters import judging
from tests.servers import free_port
from tests.submission.clients import MESSAGE, auth_plain, submit, wait_until
from tests.submission.from_headers import MBOX_LINES, OTHER, OWN, REAL, header_of, in_turn, shows_own

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

BODY = b"Subject: x\r\n\r\nx\r\n"
# The header ends at a line that is no field for Postfix, which puts an empty line before it, and completes it.
MADE_HARMLESS = MBOX_LINES | {
    "\v From: {C}\r\nFrom: {A}",
    "\vFrom: {A}\r\nrubbish\r\nFrom: {C}",
    "\vrubbish\r\nFrom: {C}",
    "\vFrom: {A}\r\n: x\r\nFrom: {C}",
}


def arrived(sink, recipient=None):
    """The messages that the next hop has, those to one recipient if it's given."""
    return [content for _from, to, content in list(sink.sink.messages) if recipient is None or recipient in to]


def test_postfix_refuses_forged_headers_and_takes_real_ones(mail, sink, credential):
    smtp = mail.login(credential)
    for shape, is_forged in in_turn():
        is_taken = not is_forged or shape in MADE_HARMLESS
        to = "harmless@example.org" if is_forged else "real@example.org"
        code, text = submit(smtp, header_of(shape) + BODY, recipients=[to])
        assert code in ((250,) if is_taken else (550, 553)), (shape, text)
    wait_until(lambda: len(arrived(sink)) == len(REAL) + len(MADE_HARMLESS))
    together = b"\0".join(arrived(sink, "real@example.org"))
    assert all(header_of(shape) in together for shape in REAL)
    for content in arrived(sink, "harmless@example.org"):
        assert shows_own(content) and OTHER in content.decode()  # as text, or as X-Mailbox-Line


@pytest.mark.parametrize(
    ("header", "refusal", "finding"),
    [
        ("{C}", Refusal.FOREIGN_HEADER, Finding.WRONG_HEADER_FROM),
        ("{C} <{A}>", Refusal.OTHER_ADDRESS, Finding.HIDDEN_SENDER),
        ("Smith, John <{A}>", Refusal.BAD_ADDRESSES, Finding.UNQUOTED_NAME),
        ("\vFrom: {A}\r\nFrom: {A}", Refusal.NO_SINGLE_FROM, Finding.NO_SINGLE_FROM),
    ],
)
def test_reply_is_the_listeners_and_the_log_names_the_cause(mail, milter, credential, header, refusal, finding):
    before = len(milter.log.read_text())
    code, text = submit(mail.login(credential), header_of(header) + BODY)
    assert f"{code} {text.decode()}" == replies.MESSAGE_REPLIES[refusal]
    assert read(f"{code} {text.decode()}").finding is finding
    (line,) = milter.log.read_text()[before:].splitlines()
    cause = refusal.name.lower()
    assert f" username={credential.username} sender={OWN} cause={cause} reply={code} 5.7.1" in line
    assert OTHER not in line
    queue_id = line.partition("MESSAGE id=")[2].partition(" ")[0]
    assert wait_until(lambda: f"{queue_id}: milter-reject: END-OF-MESSAGE" in mail.server.log)


def test_missing_from_is_added_and_nul_refused(mail, sink, credential):
    smtp = mail.login(credential)
    assert submit(smtp, BODY)[0] == 250
    assert submit(smtp, MESSAGE + b"a\0b\r\n")[0] == 550
    assert submit(smtp, header_of("\vResent-To: {C}") + BODY)[0] == 550  # Postfix adds a Resent-From only
    (content,) = wait_until(lambda: arrived(sink))
    assert shows_own(content)


@pytest.fixture(scope="module")
def apart(mail_database):
    """A Postfix, and the port of its milter, which isn't running."""
    port = free_port()
    with mail_server(mail_database, milters=f"inet:127.0.0.1:{port}") as server:
        yield Mail(server), port


def test_mail_is_refused_for_now_while_the_milter_is_down(apart, tmp_path, credential):
    mail, port = apart
    with pytest.raises(SMTPException) as down:  # at STARTTLS already
        mail.login(credential)
    assert down.value.args == (454, b"4.3.0 Try again later")
    smtp = mail.implicit_tls()
    smtp.ehlo("client.example")
    refused = auth_plain(smtp, credential.username, password_of(credential))
    assert refused == (454, b"4.3.0 Try again later")  # not 535, after which clients forget the password
    with judging(tmp_path / "log", port):
        smtp = mail.login(credential)
        assert submit(smtp)[0] == 250
    code, text = submit(smtp)
    assert (code, text) == (451, b"4.7.1 Service unavailable - try again later")
    assert read(f"{code} {text.decode()}").finding is Finding.TEMPORARY
    with judging(tmp_path / "log", port):
        assert submit(mail.login(credential))[0] == 250


def test_null_sender_needs_a_from_of_the_credential(mail, credential):
    smtp = mail.login(credential)
    notice = header_of("MAILER-DAEMON@{D} (Mail Delivery System)") + BODY
    assert submit(smtp, notice, sender="")[0] == 250
    assert submit(smtp, header_of("{C}") + BODY, sender="")[0] == 553
    assert submit(smtp, BODY, sender="")[0] == 550
    acts.reset(credential)
    code, text = submit(smtp, notice, sender="")
    assert f"{code} {text.decode()}" == replies.NO_LONGER_VALID
