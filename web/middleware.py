"""Middleware that checks every request, in the order of settings.MIDDLEWARE."""

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

UNCOMPRESSED = {"", "identity"}
TRANSFER_CODINGS = {"chunked", "identity"}  # those that gunicorn decodes
CHARSETS = {"utf-8", "ascii"}  # ASCII is a subset of UTF-8
UNREADABLE_TYPE = "unreadable"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
OTHER_CHARSET = "The server accepts forms in UTF-8 only. Nothing was changed."

REQUEST_TOO_BIG = "The request is too big. Nothing was changed."
CUT_OFF = "The request was incomplete. Nothing was changed. Try again."
UNREADABLE = "The server can't read this form. Nothing was changed."
# LookupError and ValueError: a field that Django can't decode.
BAD_FORM = (BadRequest, MultiPartParserError, SuspiciousOperation, LookupError, ValueError)


class ForwardedMiddleware:
    """Set whether a request came over TLS, as trusted proxies report it.

    gunicorn's own rule for it is turned off (gunicorn.conf.py). Must come before everything that calls
    request.is_secure().
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_secure = client(request.META).is_secure
        if is_secure is not None:
            request.META["wsgi.url_scheme"] = "https" if is_secure else "http"
        return self.get_response(request)


class MethodsMiddleware:
    """Refuse every other method: Django's own views answer TRACE like GET."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in ALLOWED_METHODS:
            return self.get_response(request)
        return HttpResponseNotAllowed(ALLOWED_METHODS)


class Request(WSGIRequest):
    """Django's request, without the charset of its Content-Type, which EncodingsMiddleware checks.

    Django decodes the query by that charset before any middleware, and fails on an unknown one.
    """

    def _set_content_type_params(self, meta):
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):  # charset*=none''x
            self.content_type, self.content_params = UNREADABLE_TYPE, {}


class EncodingsMiddleware:
    """Refuse compressed bodies and forms in other charsets, which nothing here reads.

    Fields of a compressed body would count as missing; another charset fails or yields other text.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        codings = request.headers.get("Transfer-Encoding", "").lower().split(",")
        if {coding.strip() for coding in codings} - TRANSFER_CODINGS - {""}:
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        if request.headers.get("Content-Encoding", "").strip().lower() not in UNCOMPRESSED:
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        if request.method == "POST" and not _is_utf8(request):
            return HttpResponse(OTHER_CHARSET, status=400, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


def _is_utf8(request) -> bool:
    """Whether the body is a form in UTF-8 or no form. Unknown charsets count as UTF-8, as browsers send it."""
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
    """Read each body in full before a view does, and refuse incomplete and unreadable forms.

    A body ends early when the connection is lost or a proxy gives up: a view would take a field that is cut
    off for one that the user emptied. A form that can't be parsed would raise wherever it is read first, also
    in error pages. Django limits the fields of a body, but keeps files of any size on disk.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            _read(request)
            request.POST  # noqa: B018  (parsed here, kept for the views)
        except RequestDataTooBig:
            return _refusal(413, REQUEST_TOO_BIG)
        except (CutOff, UnreadablePostError, ParseException):
            return _refusal(400, CUT_OFF)
        except BAD_FORM:
            return _refusal(400, UNREADABLE)
        return self.get_response(request)


def _read(request):
    """Read the body into request.body. Raises RequestDataTooBig, CutOff, or what the server's stream raises."""
    if request.headers.get("Transfer-Encoding"):
        # Django ignores a body without a length; gunicorn ends the stream after the last chunk.
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
    """Redirects to the URL with a final slash, but no POST: browsers would drop its body."""

    def should_redirect_with_slash(self, request):
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)
