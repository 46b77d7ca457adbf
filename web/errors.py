"""The pages for what can't be answered: a database that can't be asked is told apart from a fault of ours.

Not Django's own views: those check the form's token once more, and fail by what failed before.
"""

import logging
import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string

from web.request import wants_text

# Away, starting, full, read-only, or locked for longer than anybody waits: who comes again may find it well.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
RETRY_SECONDS = 5
TEXT = (
    "The server can't reach its data right now. No partial changes were saved. "
    "Check whether yours was saved before retrying."
)

log = logging.getLogger("web.errors")


def server_error(request):
    """Answer for an exception, as handler500: 503 while the database is away, else 500."""
    error = sys.exc_info()[1]
    return _unavailable(request, error) if isinstance(error, UNAVAILABLE) else _page("500.html", 500)


def bad_request(request, exception):
    """Answer for a refused request, as handler400.

    Django takes a session that can't be saved for one that was deleted, and that for the
    client's fault, even when it is the database that went away.
    """
    cause = exception
    while cause and not isinstance(cause, UNAVAILABLE):
        cause = cause.__cause__ or cause.__context__
    return _unavailable(request, cause) if cause else _page("400.html", 400)


def permission_denied(request, exception):
    """Answer for what somebody may not do, as handler403."""
    return _page("403.html", 403, request)


def not_found(request, exception):
    """Answer for what is not there, as handler404."""
    return _page("404.html", 404, request)


def _page(template, status, request=None):
    return HttpResponse(render_to_string(template, request=request), status=status)


def _unavailable(request, error):
    # Not its text, in which a statement may stand.
    log.error("The database can't be asked: %s (%s)", type(error).__name__, request.path)
    # Both are our scripts, which show it as a toast.
    if wants_text(request) or "HX-Request" in request.headers:
        response = HttpResponse(TEXT, content_type="text/plain; charset=utf-8")
    else:
        # Without the request, from which a page would want the person and their session.
        response = HttpResponse(render_to_string("503.html", {"text": TEXT}))
    response.status_code = 503
    response["Retry-After"] = str(RETRY_SECONDS)
    response._has_been_logged = True  # Django would add the traceback
    return response
