"""What a request or an SMTP session is called in the logs, so that its lines are found together.

A person who sees an error page can tell it to the operator.
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


# Each thread, and each asyncio task, has its own.
current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(kind: str, id: str = "") -> str:
    """Call what this thread or task does from now on `id`, or something new; return it."""
    id = id or secrets.token_hex(8)
    current.set(Trace(kind, id))
    return id


def current_id() -> str:
    trace = current.get()
    return trace.id if trace else ""


class RequestIdMiddleware:
    """Give each request its id, and tell it in the answer.

    A proxy's own is taken over, a client's is not: it could be another request's. Nothing takes the
    id back: Django logs a refused request after all middleware, and the next one has its own.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get(HEADER, "")
        is_taken = _ACCEPTED.fullmatch(given) and is_trusted(request.META.get("REMOTE_ADDR") or "unix")
        id = begin("request", given if is_taken else "")
        response = self.get_response(request)
        response.headers[HEADER] = id
        return response
