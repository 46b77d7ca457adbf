from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from gunicorn.http.errors import ParseException

TOO_BIG = "The request is too big. Nothing was changed."
CUT_OFF = "The request ended before all of it arrived. Nothing was changed. Try again."
UNREADABLE = "The server can't read this form. Nothing was changed."
# Of a field that Django can't decode, too.
NO_FORM = (BadRequest, MultiPartParserError, SuspiciousOperation, LookupError, ValueError)


class CutOff(Exception):
    pass


class BodiesMiddleware:
    """Take each body whole before anything looks at it, and refuse one that is no form.

    What ends early (a lost connection, a proxy or a worker that waited long enough) is half a form: a view
    would take a field that is cut off for one that somebody emptied. And what can't be parsed would raise
    wherever it is asked for first, in the pages for errors as well.
    Django bounds the fields of a body, but keeps files of any size on disk.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            _take(request)
            request.POST  # noqa: B018  (parsed here, kept for the views)
        except RequestDataTooBig:
            return _refusal(413, TOO_BIG)
        except (CutOff, UnreadablePostError, ParseException):
            return _refusal(400, CUT_OFF)
        except NO_FORM:
            return _refusal(400, UNREADABLE)
        return self.get_response(request)


def _take(request):
    """Read the body into request.body. Raises RequestDataTooBig, CutOff, what the server's stream raises."""
    if request.headers.get("Transfer-Encoding"):
        # Django takes a body without a length for none; gunicorn ends the stream where the chunks end.
        stream = request.environ["wsgi.input"]
        request._stream = LimitedStream(stream, settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        request.META["CONTENT_LENGTH"] = str(len(request.body))
    elif len(request.body) < _length(request):
        raise CutOff


def _length(request) -> int:
    return int(request.META.get("CONTENT_LENGTH") or 0)


def _refusal(status, text):
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
