"""Receives Postfix's reports of accepted messages, by its SMTP access policy delegation protocol.

At the end of each message, smtpd sends `name=value` lines up to an empty line and waits for `action=…`
(SMTPD_POLICY_README). The answer is always DUNNO: this only counts the names that a credential's clients use.
"""

from credentials.models.base import is_username
from credentials.usage.tally import Tally
from submission.ip import plain_ip
from submission.reports.connection import BoundedConnection

MAX_REQUEST_SIZE = 16_384  # bytes of one request; they have some 800
MAX_PIPELINED = 50  # requests; smtpd waits for each answer
DUNNO = b"action=DUNNO\n\n"


class Messages:
    """Makes a protocol for each connection."""

    def __init__(self, tally: Tally):
        self._tally = tally
        self.connections: set[BoundedConnection] = set()

    def __call__(self) -> "PostfixConnection":
        return PostfixConnection(self)

    def count(self, request: bytes):
        """Count the names of one message; ignore a request that isn't one."""
        lines = (line.partition("=") for line in request.decode(errors="replace").split("\n"))
        attributes = {name: value for name, _, value in lines}
        # `<username>.<number of the password>`, see deploy/dovecot
        username = attributes.get("sasl_username", "").partition(".")[0]
        if attributes.get("protocol_state") != "END-OF-MESSAGE" or not is_username(username):
            return
        try:
            ip = plain_ip(attributes.get("client_address", ""))
        except ValueError:
            return
        ehlo, mail_from = attributes.get("helo_name", ""), attributes.get("sender", "")
        self._tally.add_message(username, ip, ehlo=ehlo, mail_from=mail_from)


class PostfixConnection(BoundedConnection):
    """One connection of an smtpd, which sends one request after the other."""

    most = 500

    def __init__(self, messages: Messages):
        super().__init__(messages.connections)
        self._messages, self._waiting = messages, b""

    def data_received(self, data: bytes):
        *requests, self._waiting = (self._waiting + data).split(b"\n\n")
        if len(self._waiting) > MAX_REQUEST_SIZE or len(requests) > MAX_PIPELINED:
            return self.transport.abort()
        for request in requests:
            self._messages.count(request)
            self.transport.write(DUNNO)
