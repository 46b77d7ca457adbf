"""Who may send as whom: a credential for exactly its own domain."""

import pytest

from tests.factories import SYSTEM, make_credential, make_domain, make_user, password_of
from tests.mail import acts
from tests.submission.clients import MESSAGE, SENDER, auth_plain, finish, submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("sender", ["info@sl.example.com", "Anybody@SL.EXAMPLE.COM", "a+b@sl.example.com"])
def test_sender_of_the_own_domain_is_accepted(mail, credential, sender):
    assert mail.login(credential).docmd(f"MAIL FROM:<{sender}>")[0] == 250


@pytest.mark.parametrize(
    "sender",
    [
        "info@other.example",
        "info@sub.sl.example.com",
        "info@example.com",
        "info@evilsl.example.com",
        "info@sl.example.com.evil.example",
        "info@sl.example.com@evil.example",
        '"info@sl.example.com"@evil.example',
        "info%sl.example.com@evil.example",
        "info@x'-OR-'1'='1",
    ],
)
def test_sender_of_another_domain_is_refused_at_mail(mail, credential, sender):
    assert mail.login(credential).docmd(f"MAIL FROM:<{sender}>")[0] in (501, 553)


@pytest.mark.parametrize("sender", ["info", "@sl.example.com", "sl.example.com"])
def test_sender_without_domain_or_local_part_is_refused(mail, credential, sender):
    smtp = mail.login(credential)
    assert smtp.docmd(f"MAIL FROM:<{sender}>")[0] in (501, 553)


def test_sender_of_another_hosted_domain_is_refused(mail, credential):
    make_credential(make_domain("other.example.com", owner=make_user("dave@example.com")))
    smtp = mail.login(credential)
    code, text = smtp.docmd("MAIL FROM:<info@other.example.com>")
    assert code == 553
    assert b"not owned by user" in text


def test_every_credential_of_a_domain_may_send_for_it(mail, domain):
    for credential in [make_credential(domain) for _ in range(3)]:
        assert submit(mail.login(credential))[0] == 250


def test_mail_requires_login(mail, credential):
    for sender in (SENDER, "info@elsewhere.example", ""):
        assert mail.secure().docmd(f"MAIL FROM:<{sender}>")[0] == 450


@pytest.mark.parametrize("act", acts.ALL)
def test_open_session_of_a_revoked_credential_cannot_send(mail, sink, credential, act):
    smtp = mail.login(credential)
    assert submit(smtp)[0] == 250
    wait_until(lambda: len(sink.sink.messages) == 1)
    act(credential)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 553
    assert smtp.docmd("RCPT TO:<somebody@example.org>")[0] == 503


def test_message_that_was_past_mail_from_is_sent_and_no_other(mail, sink, credential):
    """As the proof of a revocation says (templates/jinja2/credentials/_proof.html)."""
    smtp = mail.login(credential)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 250
    acts.delete(credential)
    for command in ("RCPT TO:<somebody@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    assert finish(smtp, MESSAGE + b"the last\r\n")[0] == 250
    wait_until(lambda: len(sink.sink.messages) == 1)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 553


def test_open_session_goes_on_after_a_change_of_networks(mail, credential):
    smtp = mail.login(credential, source="127.0.0.9")
    credential.set_networks("192.0.2.0/24", by=SYSTEM)
    assert submit(smtp)[0] == 250
    assert mail.try_login(credential.username, password_of(credential), source="127.0.0.9")[0] == 535


def test_session_with_the_new_password_sends_after_a_reset(mail, credential):
    acts.reset(credential)
    smtp = mail.secure()
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n"])
def test_smuggled_message_stays_part_of_the_first(mail, sink, credential, ending):
    """SMTP smuggling, CVE-2023-51764."""
    smuggled = (
        MESSAGE + b"first" + ending + b"MAIL FROM:<root@evil.example>\r\nRCPT TO:<v@example.org>\r\nDATA\r\n"
    )
    smtp = mail.login(credential)
    for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<somebody@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    finish(smtp, smuggled + b"Subject: smuggled\r\n\r\nx\r\n")
    smtp.close()
    closing = mail.login(credential)
    assert submit(closing)[0] == 250
    wait_until(lambda: any(b"smuggled" not in content for _s, _r, content in sink.sink.messages))
    assert {sender for sender, _recipients, _content in sink.sink.messages} == {SENDER}
