"""Takes Dovecot's reports of logins: an ASGI application, apart from the dashboard's web server.

One POST a login, as Dovecot's auth policy client sends them: JSON with `login`, `session`,
`remote` and `success`, and the shared secret in the Authorization header (RFC 6750). It only counts
in memory; what is counted is written every second. At hundreds of logins a second the
pages would feel a request through all of Django for each.
"""

import asyncio
import hmac
import json

from credentials.models import Outcome, is_username
from credentials.usage import Tally
from submission import journal
from submission.limits import plain_ip
from submission.workers import Workers, keep_writing

ASKED_ALL = ".previous"  # by this name the second of the two lookups was answered (deploy/dovecot)
MAX_BODY = 4096  # bytes; a report has some 150
ACCEPTED = 200, b'{"status": 0, "msg": ""}'  # 0: let the login be, which Dovecot has decided already


class Reports:
    """The application; `secret` is REPORTS_SECRET."""

    def __init__(self, secret: str):
        self._authorization = f"Bearer {secret}".encode()
        self._tally = Tally()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        status, body = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive, send):
        await receive()
        workers, stopped = Workers(threads=1, waiting=10), asyncio.Event()
        writer = asyncio.create_task(keep_writing(self._tally, workers, stopped))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stopped.set()
        await writer
        workers.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope, receive) -> tuple[int, bytes]:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, self._authorization):
            journal.log.warning("A report without the right REPORTS_SECRET was refused")
            return 401, b"{}"
        if scope["method"] != "POST":
            return 405, b"{}"
        body = await _body(receive)
        if body is None:
            return 413, b"{}"
        try:
            self._note(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError):  # the last: JSON nested too deeply
            return 400, b"{}"
        return ACCEPTED

    def _note(self, report):
        """Count one report. Raises ValueError, TypeError, KeyError when it is none."""
        username, session = report["login"], report["session"]
        remote, accepted = report["remote"], report["success"]
        if not (isinstance(remote, str) and isinstance(session, str) and isinstance(accepted, bool)):
            raise TypeError
        if not accepted and not session.endswith(ASKED_ALL):
            return  # the database could not be asked, or the username has no form to ask for
        # What has not the form of a username is unknown in any case, and may be a password.
        known = isinstance(username, str) and is_username(username)
        self._tally.add(username if known else "", plain_ip(remote), Outcome.ACCEPTED if accepted else None)


async def _body(receive) -> bytes | None:
    """The whole body; None when it is too long or breaks off."""
    body = b""
    while True:
        part = await receive()
        if part["type"] != "http.request":
            return None
        body += part["body"]
        if len(body) > MAX_BODY:
            return None
        if not part["more_body"]:
            return body
