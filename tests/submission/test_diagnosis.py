"""Explain an error: replies of the real listener, and the output of real tools."""

import smtplib
import ssl
import sys

import pytest

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.parser import read, visible
from tests import servers
from tests.factories import SYSTEM, password_of
from tests.http import sign_in, smtp_url, text
from tests.submission.clients import MESSAGE, SENDER, auth_plain, finish, submit, wait_until
from tests.submission.snippets import Failed, machine_for, shown

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


def line(reply) -> str:
    """A reply as exceptions of smtplib show it."""
    return f"smtplib.SMTPResponseException: {reply!r}"


def finding(reply):
    return read(line(reply)).finding


class TestLogins:
    """535 is the same for every cause; the page names the cause."""

    @pytest.fixture
    def explained(self, client, alice, listener, credential):
        """Fail to log in, wait until the listener has written its counts, and read the explanation."""
        sign_in(client, alice)

        def explained(password, words, username=None):
            reply = auth_plain(listener.secure(), username or credential.username, password)
            assert reply[0] == 535
            ask = {"line": line(reply)}
            return wait_until(lambda: words in text(client.post(smtp_url(credential, "explain"), ask)))

        return explained

    def test_wrong_password_is_explained(self, explained):
        assert explained("wrong", "The password is wrong")

    def test_retired_password_is_explained(self, explained, credential):
        old = password_of(credential)
        credential.reset_password(by=SYSTEM)
        assert explained(old, "127.0.0.1 used the password from before the reset on")

    def test_suspended_credential_is_explained(self, explained, credential):
        credential.suspend(by=SYSTEM)
        assert explained(password_of(credential), "This SMTP user is suspended")

    def test_disallowed_network_is_explained(self, explained, credential):
        credential.set_networks("192.0.2.0/24", by=SYSTEM)
        assert explained(password_of(credential), "It may not be used from 127.0.0.1")

    def test_unauthorized_domain_is_explained(self, explained, credential):
        type(credential.domain).objects.update(authorized_at=None)
        assert explained(password_of(credential), "sl.example.com is not authorized to send")

    def test_suspended_domain_is_explained(self, explained, credential):
        credential.domain.suspend(by=SYSTEM, reason="spam")
        assert explained(password_of(credential), "Domain suspended")

    def test_unknown_username_is_explained(self, explained):
        assert explained("wrong", "wasn't one of this SMTP user", username="A" * 32)


class TestReplies:
    def test_command_before_tls_is_explained(self, listener):
        smtp = listener.connect()
        assert finding(smtp.docmd("MAIL", f"FROM:<{SENDER}>")) is Finding.TLS_MISSING
        with pytest.raises(smtplib.SMTPNotSupportedError) as error:
            smtp.login("A" * 32, "x")
        assert read(str(error.value)).finding is Finding.TLS_MISSING

    def test_mail_without_login_is_explained(self, secure):
        assert finding(submit(secure)) is Finding.NOT_LOGGED_IN

    def test_foreign_sender_is_explained(self, smtp):
        assert finding(submit(smtp, sender="info@other.example")) is Finding.WRONG_SENDER

    @pytest.mark.parametrize(("message", "told"), [
        (b"From: <info@other.example>\r\n\r\nx\r\n", Finding.WRONG_HEADER_FROM),
        (f"From: {SENDER}\r\n".encode() + MESSAGE, Finding.NO_SINGLE_FROM),
        (MESSAGE.replace(b"Body", b"\x00"), Finding.BAD_MESSAGE),
        (b"From : x\r\n y\r\n" + MESSAGE, Finding.BAD_MESSAGE),
    ])  # fmt: skip
    def test_refused_message_is_explained(self, smtp, message, told):
        assert finding(submit(smtp, message)) is told

    def test_message_without_its_end_is_explained(self, smtp):
        for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
            assert smtp.docmd(command)[0] < 400
        smtp.sock.sendall(MESSAGE + b".\n")
        assert finding(smtp.getreply()) is Finding.BARE_NEWLINE

    def test_too_big_message_is_explained(self, smtp):
        reply = smtp.docmd("MAIL", f"FROM:<{SENDER}> SIZE=999999999")
        assert finding(reply) is Finding.TOO_BIG

    def test_refused_recipient_is_explained(self, smtp):
        assert finding(submit(smtp, recipients=["bob"])) is Finding.RECIPIENT_SYNTAX

    def test_too_many_logins_and_errors_are_explained(self, listener):
        smtp = listener.secure()
        for _ in range(3):
            auth_plain(smtp, "A" * 32, "x")
        assert finding(auth_plain(smtp, "A" * 32, "x")) is Finding.TOO_MANY_LOGINS
        smtp = listener.secure()
        replies = [smtp.docmd("FOO") for _ in range(20)]
        assert finding(replies[0]) is Finding.OUT_OF_ORDER
        assert finding(replies[-1]) is Finding.TOO_MANY_ERRORS

    def test_password_reset_in_an_open_session_is_explained(self, smtp, credential):
        for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<bob@example.org>", "DATA"):
            smtp.docmd(command)
        credential.reset_password(by=SYSTEM)
        assert finding(finish(smtp)) is Finding.NO_LONGER_VALID

    def test_unavailable_and_refusing_relay_are_explained(self, start_listener, credential):
        with start_listener(SMTP_RELAY_URL=f"smtp://127.0.0.1:{servers.free_port()}") as listener:
            assert finding(submit(listener.login(credential))) is Finding.TEMPORARY


class TestConnecting:
    def failure(self, port, context, host="localhost"):
        smtp = smtplib.SMTP("127.0.0.1", port, timeout=60)
        smtp._host = host
        with pytest.raises(OSError) as error:
            smtp.starttls(context=context)
        return read(str(error.value)).finding

    def test_certificate_errors_are_explained(self, listener):
        untrusting = ssl.create_default_context()
        assert self.failure(listener.port, untrusting) is Finding.CERTIFICATE_SELF_SIGNED
        trusting = ssl.create_default_context(cafile=listener.var_dir / "tls" / "submission.crt")
        assert self.failure(listener.port, trusting, "mail.x.example") is Finding.CERTIFICATE_NAME

    def test_implicit_tls_on_a_starttls_port_is_explained(self, listener):
        with pytest.raises(OSError) as error:
            smtplib.SMTP_SSL("127.0.0.1", listener.port, timeout=60)
        assert read(str(error.value)).finding is Finding.IMPLICIT_TLS

    def test_refused_connection_is_explained(self):
        with pytest.raises(OSError) as error:
            smtplib.SMTP("127.0.0.1", servers.free_port(), timeout=60)
        assert read(str(error.value)).finding is Finding.CONNECTION_REFUSED


SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # of Debian's package ca-certificates
TOOLS = ("python", "django", "curl", "swaks", "msmtp", "nodejs", "php", "rails")


@pytest.mark.parametrize("tool", TOOLS)
class TestTools:
    """The output of the tools on Connect your site."""

    @pytest.fixture
    def run(self, client, alice, credential, listener, settings, tmp_path, tool):
        settings.SMTP_HOST = "localhost"

        def run(port=listener.port, password="", certificate=""):
            settings.SMTP_PORT = port
            machine = machine_for(credential, listener, tmp_path)
            machine.password = password or machine.password
            machine.certificate = certificate or machine.certificate
            with pytest.raises(Failed) as failed:
                USE[tool](machine, shown(sign_in(client, alice), credential, tool))
            # What did not fit would be cut away by the person: the end of it is what counts.
            return read(visible(str(failed.value)[-2000:])).finding

        return run

    def test_wrong_password_in_output_of_tools_is_explained(self, run, tool):
        assert run(password="sl_wrong") in (Finding.LOGIN_REFUSED, Finding.LOGIN_FAILED)

    def test_untrusted_certificate_in_output_of_tools_is_explained(self, run, tool):
        told = run(certificate=SYSTEM_CERTIFICATES)
        assert told in (Finding.CERTIFICATE_SELF_SIGNED, Finding.CERTIFICATE)

    def test_refused_connection_in_output_of_tools_is_explained(self, run, tool):
        told = run(port=servers.free_port())
        assert told in (Finding.CONNECTION_REFUSED, Finding.NOT_CONNECTED)


def _django(machine, snippets):
    machine.write("site_settings.py", f'SECRET_KEY = "x"\n{snippets[0]}\n')
    machine.environment = {"DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": str(machine.home)}
    machine.run(sys.executable, "-m", "django", "sendtestemail", "alice@example.com")


def _msmtp(machine, snippets):
    machine.write(".msmtprc", snippets[0])
    machine.write(".smtp-password", machine.password)
    machine.shell(f"{snippets[2]} --tls-trust-file={machine.certificate}")


def _php(machine, snippets):
    from tests.submission.test_snippets import AUTOLOAD

    machine.write("vendor/autoload.php", AUTOLOAD)
    machine.run("php", machine.write("site.php", snippets[0]))


def _rails(machine, snippets):
    from tests.submission.test_snippets import RAILS

    machine.run("ruby", "-e", RAILS, typed=snippets[0])


def _shell(machine, snippets):
    machine.shell("\n".join(snippets), typed=f"{machine.password}\n")


USE = {
    "python": lambda machine, snippets: machine.run(sys.executable, "-c", snippets[0]),
    "nodejs": lambda machine, snippets: machine.run("node", "-e", snippets[0]),
    "django": _django,
    "msmtp": _msmtp,
    "php": _php,
    "rails": _rails,
    "curl": _shell,
    "swaks": _shell,
}
