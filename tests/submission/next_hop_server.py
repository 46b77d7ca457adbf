"""A next hop for tests: an SMTP server that stores messages and refuses on demand."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from tests import servers


class Sink:
    """`r550@…` is refused with 550 at RCPT; `mail` and `data` are replies to those commands.

    One transaction takes `limit` recipients, and refuses others with `too_many`. It takes `last` messages
    before it answers DATA with 451, and `a_connection` in each connection before it answers MAIL with 421.
    """

    def __init__(self):
        self.forget()

    def forget(self):
        self.messages, self.options, self.logins = [], [], []
        self.mail = self.data = self.limit = self.last = self.a_connection = None
        self.too_many = "452 4.5.3 Too many recipients"

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.options.append(options)
        if self.a_connection and getattr(session, "messages", 0) >= self.a_connection:
            return "421 4.7.0 Too many messages in this connection"
        envelope.mail_from = address
        return self.mail or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address[:1] == "r" and address[1:4].isdigit():
            return f"{address[1:4]} refused"
        if self.limit and len(envelope.rcpt_tos) >= self.limit:
            return self.too_many
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.data:
            return self.data
        if self.last is not None and len(self.messages) >= self.last:
            return "451 4.7.1 Later"
        session.messages = getattr(session, "messages", 0) + 1
        self.messages.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, login):
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"right & proper", handled=False)


class SinkServer(Controller):
    """Runs a Sink in a thread; `url` is what SMTP_RELAY_URL needs."""

    def __init__(self, *, credentials="", scheme="smtp", tls=None, implicit_tls=None, **options):
        self.sink = Sink()
        self._tls, self._options = tls, options
        port = servers.free_port()
        super().__init__(self.sink, hostname="127.0.0.1", port=port, ssl_context=implicit_tls)
        self.url = f"{scheme}://{credentials}127.0.0.1:{port}"

    def factory(self):
        return SMTP(
            self.sink,
            tls_context=self._tls,
            authenticator=self.sink.authenticate,
            auth_require_tls=False,
            hostname="sink.example",
            **{"enable_SMTPUTF8": True} | self._options,
        )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self._thread:
            self.stop()
