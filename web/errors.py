"""Error pages, which distinguish a database that is away from a fault of the program.

Django's own views check the form's token again and fail for the same reason as the page.
"""

import logging
import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string

from web.request import wants_text

# Database unavailable, starting, full, read-only or locked: a retry may succeed.
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
RETRY_SECONDS = 5
TEXT = (
    "The server can't reach its data right now. No partial changes were saved. "
    "Check whether yours was saved before retrying."
)

log = logging.getLogger("web.errors")


def server_error(request):
    """Answer an exception, as handler500: 503 while the database is away, otherwise 500."""
    error = sys.exc_info()[1]
    return _unavailable(request, error) if isinstance(error, DATABASE_UNAVAILABLE) else _page("500.html", 500)


def bad_request(request, exception):
    """Answer a bad request, as handler400.

    Django takes a session that can't be saved for a deleted one, the client's fault, even while the database
    is away.
    """
    cause = exception
    while cause and not isinstance(cause, DATABASE_UNAVAILABLE):
        cause = cause.__cause__ or cause.__context__
    return _unavailable(request, cause) if cause else _page("400.html", 400)


def permission_denied(request, exception):
    """Answer a forbidden request, as handler403."""
    return _page("403.html", 403, request)


def not_found(request, exception):
    """Answer a request for a missing page, as handler404."""
    return _page("404.html", 404, request)


def _page(template, status, request=None):
    return HttpResponse(render_to_string(template, request=request), status=status)


def _unavailable(request, error):
    # Without its text, which may contain a statement.
    log.error("The database can't be reached: %s (%s)", type(error).__name__, request.path)
    # Both come from our scripts, which show it as a toast.
    if wants_text(request) or "HX-Request" in request.headers:
        response = HttpResponse(TEXT, content_type="text/plain; charset=utf-8")
    else:
        # Without the request: a page would load the user and the session from it.
        response = HttpResponse(render_to_string("503.html", {"text": TEXT}))
    response.status_code = 503
    response["Retry-After"] = str(RETRY_SECONDS)
    response._has_been_logged = True  # Django would add the traceback
    return response
