"""Takes Postfix's account of accepted messages: its SMTP access policy delegation protocol.

At the end of each message smtpd sends `name=value` lines up to an empty one, and waits for
`action=…` (SMTPD_POLICY_README); ours is always DUNNO: this only counts by which names a
credential's clients speak.
"""

import asyncio

from credentials.models.base import is_username
from credentials.usage.tally import Tally
from submission.ip import plain_ip

MAX_SIZE = 16_384  # bytes of one request; they have some 800
MAX_AT_ONCE = 50  # requests; smtpd waits for each answer
MAX_CONNECTIONS = 500
ANSWER = b"action=DUNNO\n\n"


class Messages:
    """Makes connections' protocols."""

    def __init__(self, tally: Tally):
        self._tally = tally
        self.connections: set[Connection] = set()

    def __call__(self) -> "Connection":
        return Connection(self)

    def take(self, request: bytes):
        """Count the names of one message; what is no account of one is passed over."""
        lines = (line.partition("=") for line in request.decode(errors="replace").split("\n"))
        told = {name: value for name, _, value in lines}
        # `<username>.<number of the password>`, see deploy/dovecot
        username = told.get("sasl_username", "").partition(".")[0]
        if told.get("protocol_state") != "END-OF-MESSAGE" or not is_username(username):
            return
        try:
            ip = plain_ip(told.get("client_address", ""))
        except ValueError:
            return
        ehlo, mail_from = told.get("helo_name", ""), told.get("sender", "")
        self._tally.add_message(username, ip, ehlo=ehlo, mail_from=mail_from)


class Connection(asyncio.Protocol):
    """One smtpd, which asks again and again."""

    def __init__(self, messages: Messages):
        self._messages, self._waiting = messages, b""

    def connection_made(self, transport):
        self._transport = transport
        if len(self._messages.connections) >= MAX_CONNECTIONS:
            return transport.abort()
        self._messages.connections.add(self)

    def connection_lost(self, error):
        self._messages.connections.discard(self)

    def data_received(self, data: bytes):
        *requests, self._waiting = (self._waiting + data).split(b"\n\n")
        if len(self._waiting) > MAX_SIZE or len(requests) > MAX_AT_ONCE:
            return self._transport.abort()
        for request in requests:
            self._messages.take(request)
            self._transport.write(ANSWER)

    def pause_writing(self):
        self._transport.pause_reading()  # who does not listen is asked nothing more

    def resume_writing(self):
        self._transport.resume_reading()

    def close(self):
        self._transport.close()
