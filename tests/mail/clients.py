"""smtplib against the real Postfix, over verified TLS."""

import smtplib
import ssl
from dataclasses import dataclass

from tests import factories
from tests.mail.daemons import MailServer
from tests.submission.clients import TIMEOUT, auth_plain


@dataclass(frozen=True)
class Mail:
    server: MailServer

    @property
    def port(self) -> int:
        return self.server.port

    def connect(self, *, source="127.0.0.1", timeout=TIMEOUT) -> smtplib.SMTP:
        smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=timeout, source_address=(source, 0))
        smtp.ehlo("client.example")
        return smtp

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.server.certificate)

    def secure(self, **options) -> smtplib.SMTP:
        """A client that has said EHLO within TLS, the certificate verified."""
        smtp = self.connect(**options)
        smtp.starttls(context=self.tls)
        smtp.ehlo("client.example")
        return smtp

    def implicit_tls(self) -> smtplib.SMTP:
        """A client on the port with TLS from the start, before EHLO."""
        return smtplib.SMTP_SSL("localhost", self.server.tls_port, timeout=TIMEOUT, context=self.tls)

    def try_login(self, username, password, **options):
        """The reply to AUTH on a connection of its own."""
        smtp = self.secure(**options)
        reply = auth_plain(smtp, username, password)
        smtp.close()
        return reply

    def login(self, credential, **options) -> smtplib.SMTP:
        smtp = self.secure(**options)
        reply = auth_plain(smtp, credential.username, factories.password_of(credential))
        assert reply[0] == 235, reply
        return smtp
