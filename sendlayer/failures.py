"""What is answered when a request fails: 503 while the database can't be worked with, 500 for a fault of ours.

As the handler of status 500 it is asked whatever failed, a view, a middleware or the session that
is read before both. The log has the whole story either way.
"""

import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as fault

from sendlayer.accept import wants_text

# Away, restarting, out of connections, locked, full or read-only: whoever comes again may find it well.
NOT_NOW = (OperationalError, InterfaceError, InternalError)
TEXT = "The server can't reach its data right now, and nothing was half done. Try again in a few seconds."
RETRY_AFTER_SECONDS = 5


def server_error(request):
    if not isinstance(sys.exc_info()[1], NOT_NOW):
        return fault(request)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    # Both are our scripts, which show it as a toast.
    if wants_text(request) or "HX-Request" in request.headers:
        return HttpResponse(TEXT, status=503, content_type="text/plain; charset=utf-8", headers=headers)
    return HttpResponse(render_to_string("503.html", {"text": TEXT}), status=503, headers=headers)
