"""Takes Dovecot's reports of logins, one POST each, apart from the dashboard's web server.

As its auth policy client sends them: JSON with `login`, `session`, `remote`, `success` and
`pwhash`, and the shared secret in the Authorization header (RFC 6750), on connections that it
keeps. They are only counted in memory; what is counted is written every second or few. At hundreds
of logins a second the pages would feel a request through all of Django for each, and the
logins themselves one through a whole web server.
"""

import asyncio
import hmac
import json

import httptools

from credentials.digests import ASKED_ALL
from credentials.models.base import is_username
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from submission import log
from submission.ip import plain_ip

MAX_SIZE = 4096  # bytes of one request; a report has some 500
MAX_CONNECTIONS = 200
IDLE_SECONDS = 60

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    405: "Method Not Allowed",
    413: "Content Too Large",
}
ACCEPTED = b'{"status": 0, "msg": ""}'  # 0: let the login be, which Dovecot has decided already


class NoReport(Exception):
    """A request that tells of no login; `status` is the answer's."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


class Reports:
    """Makes connections' protocols; `secret` is REPORTS_SECRET."""

    def __init__(self, secret: str, tally: Tally):
        self._authorization = f"Bearer {secret}".encode()
        self._tally = tally
        self.connections: set[Connection] = set()

    def __call__(self) -> "Connection":
        return Connection(self)

    def take(self, method: bytes, authorization: bytes, body: bytes):
        """Count one report. Raises NoReport."""
        if not hmac.compare_digest(authorization, self._authorization):
            log.log.warning("A report without the right REPORTS_SECRET was refused")
            raise NoReport(401)
        if method != b"POST":
            raise NoReport(405)
        try:
            self._note(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError):  # the last: JSON nested too deeply
            raise NoReport(400) from None

    def _note(self, report):
        username, session, remote = report["login"], report["session"], report["remote"]
        accepted, digest = report["success"], report.get("pwhash", "")
        texts = all(isinstance(text, str) for text in (remote, session, digest))
        if not texts or not isinstance(accepted, bool):
            raise TypeError
        asked_all = session.endswith(ASKED_ALL)  # the second of the two lookups was answered
        if not accepted and not asked_all:
            return  # the database could not be asked, or the username has no form to ask for
        # What has not the form of a username is unknown in any case, and may be a password.
        known = isinstance(username, str) and is_username(username)
        if accepted:
            outcome = {"outcome": Outcome.ACCEPTED, "is_previous": asked_all}
        else:
            outcome = {"outcome": None, "digest": digest if known else ""}
        self._tally.add(username if known else "", plain_ip(remote), **outcome)


class Connection(asyncio.Protocol):
    """One connection of HTTP/1.1 (RFC 9112): requests are answered in order, one at a time."""

    def __init__(self, reports: Reports):
        self._reports = reports
        self._parser = httptools.HttpRequestParser(self)
        self._idle: asyncio.TimerHandle | None = None
        self._begin()

    def _begin(self):
        self._authorization, self._body, self._size = b"", b"", 0

    def connection_made(self, transport):
        self._transport = transport
        if len(self._reports.connections) >= MAX_CONNECTIONS:
            return transport.abort()
        self._reports.connections.add(self)
        self._wait()

    def connection_lost(self, error):
        self._reports.connections.discard(self)
        if self._idle:
            self._idle.cancel()

    def data_received(self, data: bytes):
        self._size += len(data)
        if self._size > MAX_SIZE:
            return self._answer(413, go_on=False)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # nobody goes over to anything here
            self._answer(400, go_on=False)

    def pause_writing(self):
        self._transport.pause_reading()  # who does not listen is asked nothing more

    def resume_writing(self):
        self._transport.resume_reading()

    def on_header(self, name: bytes, value: bytes):
        if name.lower() == b"authorization":
            self._authorization = value

    def on_body(self, body: bytes):
        self._body += body

    def on_message_complete(self):
        try:
            self._reports.take(self._parser.get_method(), self._authorization, self._body)
            status = 200
        except NoReport as refused:
            status = refused.status
        self._answer(status, go_on=self._parser.should_keep_alive())
        self._begin()
        self._wait()

    def close(self):
        self._transport.close()

    def _wait(self):
        loop = asyncio.get_running_loop()
        # Put off at most twice a minute, not at each report.
        if self._idle and self._idle.when() - loop.time() > IDLE_SECONDS / 2:
            return
        if self._idle:
            self._idle.cancel()
        self._idle = loop.call_later(IDLE_SECONDS, self._transport.abort)

    def _answer(self, status: int, *, go_on: bool):
        if self._transport.is_closing():
            return
        body = ACCEPTED if status == 200 else b"{}"
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n" + ("" if go_on else "Connection: close\r\n") + "\r\n"
        self._transport.write(head.encode() + body)
        if not go_on:
            self._transport.close()
