"""What every request passes before a view sees it, in the order of settings.MIDDLEWARE."""

import codecs

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from django.http import HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware import common
from django.utils.http import parse_header_parameters
from gunicorn.http.errors import ParseException

from web.client_ip import client

ALLOWED_METHODS = ("GET", "HEAD", "POST", "OPTIONS")

AS_IT_IS = {"", "identity"}
CODINGS = {"chunked", "identity"}  # of the transfer; gunicorn takes these apart
CHARSETS = {"utf-8", "ascii"}  # ASCII is UTF-8, too
UNREADABLE_TYPE = "unreadable"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
OTHER_CHARSET = "The server accepts forms in UTF-8 only. Nothing was changed."

TOO_BIG = "The request is too big. Nothing was changed."
CUT_OFF = "The request was incomplete. Nothing was changed. Try again."
UNREADABLE = "The server can't read this form. Nothing was changed."
# Of a field that Django can't decode, too.
NO_FORM = (BadRequest, MultiPartParserError, SuspiciousOperation, LookupError, ValueError)


class ForwardedMiddleware:
    """Say of each request whether it came over TLS, as the operator's proxies tell it.

    gunicorn would decide it by a rule and a list of its own (gunicorn.conf.py turns that off).
    Stands before all that asks request.is_secure().
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_secure = client(request.META).is_secure
        if is_secure is not None:
            request.META["wsgi.url_scheme"] = "https" if is_secure else "http"
        return self.get_response(request)


class MethodsMiddleware:
    """Refuse every other method before any view sees it: Django's own views answer TRACE like GET."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in ALLOWED_METHODS:
            return self.get_response(request)
        return HttpResponseNotAllowed(ALLOWED_METHODS)


class Request(WSGIRequest):
    """Django's, without the charset of its Content-Type, which EncodingsMiddleware judges.

    Django decodes the query by it before any middleware, and fails where that can't be done.
    """

    def _set_content_type_params(self, meta):
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):  # charset*=none''x
            self.content_type, self.content_params = UNREADABLE_TYPE, {}


class EncodingsMiddleware:
    """Refuse a body that is compressed, or a form in another charset: nothing here reads them.

    Fields of the first would be taken for missing. Some charsets of the second fail, others give other text.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        codings = request.headers.get("Transfer-Encoding", "").lower().split(",")
        if {coding.strip() for coding in codings} - CODINGS - {""}:
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        if request.headers.get("Content-Encoding", "").strip().lower() not in AS_IT_IS:
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        if request.method == "POST" and not _is_utf8(request):
            return HttpResponse(OTHER_CHARSET, status=400, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


def _is_utf8(request) -> bool:
    """Whether it is no form, or one in UTF-8. What no one knows is taken for that, as browsers send it."""
    if request.content_type == UNREADABLE_TYPE:
        return False
    try:
        charset = codecs.lookup(request.content_params.get("charset", "utf-8")).name
    except (LookupError, ValueError):
        return True
    return charset in CHARSETS or request.content_type not in FORMS


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


class CommonMiddleware(common.CommonMiddleware):
    """Leads to the address with its last slash, but no POST: browsers would go there without its body."""

    def should_redirect_with_slash(self, request):
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)
