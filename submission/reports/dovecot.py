"""Receives Dovecot's reports of logins, one POST each, apart from the dashboard's web server.

Its auth policy client sends JSON with `login`, `session`, `remote`, `success` and `pwhash`, and the shared
secret in the Authorization header (RFC 6750), on connections that it keeps. A report is only counted in
memory; the counts are written every second or two.

Not Django: at hundreds of logins a second, the pages would feel each of them. Not uvicorn either: it takes
nearly three times the CPU time for a report, and bounds neither the head of a request nor a connection that
never asks, so that a class over its own would be as long as `DovecotConnection`.
"""

import asyncio
import hmac
import json
from http import HTTPStatus

import httptools

from credentials.digests import ASKED_ALL
from credentials.models.base import canonical_username, is_username
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from submission import log
from submission.ip import plain_ip
from submission.reports.connection import BoundedConnection

MAX_REPORT_SIZE = 4096  # bytes of one request; a report has some 500
IDLE_SECONDS = 60
RECEIVED = b'{"status": 0, "msg": ""}'  # 0: leave the login as Dovecot has decided it


class NoReport(Exception):
    """A request that reports no login; `status` is the response's."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


class Reports:
    """Makes a protocol for each connection; `secret` is REPORTS_SECRET."""

    def __init__(self, secret: str, tally: Tally):
        self._authorization = f"Bearer {secret}".encode()
        self._tally = tally
        self.connections: set[BoundedConnection] = set()

    def __call__(self) -> "DovecotConnection":
        return DovecotConnection(self)

    def count(self, method: bytes, authorization: bytes, body: bytes):
        """Count one report. Raises NoReport."""
        if not hmac.compare_digest(authorization, self._authorization):
            log.logger.warning("A report without the right REPORTS_SECRET was refused")
            raise NoReport(401)
        if method != b"POST":
            raise NoReport(405)
        try:
            self._add(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError):  # the last: JSON nested too deeply
            raise NoReport(400) from None

    def _add(self, report):
        username, session, remote = report["login"], report["session"], report["remote"]
        accepted, digest = report["success"], report.get("pwhash", "")
        texts = all(isinstance(text, str) for text in (remote, session, digest))
        if not texts or not isinstance(accepted, bool):
            raise TypeError
        asked_all = session.endswith(ASKED_ALL)  # the second of the two lookups was answered
        if not accepted and not asked_all:
            return  # the database could not be asked, or the username has no form to ask for
        # A text without the form of a username is unknown in any case, and may be a password.
        username = canonical_username(username) if isinstance(username, str) else ""
        known = is_username(username)
        if accepted:
            outcome = {"outcome": Outcome.ACCEPTED, "is_previous": asked_all}
        else:
            outcome = {"outcome": None, "digest": digest if known else ""}
        self._tally.add(username if known else "", plain_ip(remote), **outcome)


class DovecotConnection(BoundedConnection):
    """One connection of HTTP/1.1 (RFC 9112), taken apart by httptools, with one request at a time."""

    most = 200

    def __init__(self, reports: Reports):
        super().__init__(reports.connections)
        self._reports = reports
        self._parser = httptools.HttpRequestParser(self)
        self._idle: asyncio.TimerHandle | None = None
        self._begin()

    def _begin(self):
        self._authorization, self._body, self._size = b"", b"", 0

    def connection_made(self, transport):
        super().connection_made(transport)
        self._restart_timeout()

    def connection_lost(self, error):
        super().connection_lost(error)
        if self._idle:
            self._idle.cancel()

    def data_received(self, data: bytes):
        self._size += len(data)
        if self._size > MAX_REPORT_SIZE:
            return self._respond(413, keep_alive=False)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # there is no protocol to upgrade to
            self._respond(400, keep_alive=False)

    def on_header(self, name: bytes, value: bytes):
        if name.lower() == b"authorization":
            self._authorization = value

    def on_body(self, body: bytes):
        self._body += body

    def on_message_complete(self):
        try:
            self._reports.count(self._parser.get_method(), self._authorization, self._body)
            status = 200
        except NoReport as refused:
            status = refused.status
        self._respond(status, keep_alive=self._parser.should_keep_alive())
        self._begin()
        self._restart_timeout()

    def _restart_timeout(self):
        loop = asyncio.get_running_loop()
        # At most twice a minute instead of at each report.
        if self._idle and self._idle.when() - loop.time() > IDLE_SECONDS / 2:
            return
        if self._idle:
            self._idle.cancel()
        self._idle = loop.call_later(IDLE_SECONDS, self.transport.abort)

    def _respond(self, status: int, *, keep_alive: bool):
        if self.transport.is_closing():
            return
        body = RECEIVED if status == 200 else b"{}"
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n" + ("" if keep_alive else "Connection: close\r\n") + "\r\n"
        self.transport.write(head.encode() + body)
        if not keep_alive:
            self.transport.close()
