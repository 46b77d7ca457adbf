"""Ids of requests and SMTP sessions in the logs, so that their lines can be found together.

Error pages show the id, which a user can pass on to the operator.
"""

import re
import secrets
from contextvars import ContextVar
from typing import NamedTuple

from web.client_ip import is_trusted

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Trace(NamedTuple):
    kind: str  # "request" or "session"
    id: str


# One for each thread and asyncio task.
current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(kind: str, id: str = "") -> str:
    """Set the id of this thread or task, a new one by default; return it."""
    id = id or secrets.token_hex(8)
    current.set(Trace(kind, id))
    return id


def current_id() -> str:
    trace = current.get()
    return trace.id if trace else ""


class RequestIdMiddleware:
    """Give each request an id and send it with the answer.

    A trusted proxy's id is used, a client's is not: it could be another request's. The id is not reset
    afterwards: Django logs a refused request after all middleware, and the next request sets its own.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get(HEADER, "")
        is_trusted_id = _ACCEPTED.fullmatch(given) and is_trusted(request.META.get("REMOTE_ADDR") or "unix")
        id = begin("request", given if is_trusted_id else "")
        response = self.get_response(request)
        response.headers[HEADER] = id
        return response
