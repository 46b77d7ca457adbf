import codecs

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.utils.http import parse_header_parameters

AS_IT_IS = {"", "identity"}
CODINGS = {"chunked", "identity"}  # of the transfer; gunicorn takes these apart
CHARSETS = {"utf-8", "ascii"}  # ASCII is UTF-8, too
UNREADABLE = "unreadable"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
OTHER_CHARSET = "The server reads forms in UTF-8 only. Nothing was changed."


class Request(WSGIRequest):
    """Django's, without the charset of its Content-Type, which EncodingsMiddleware judges.

    Django decodes the query by it before any middleware, and fails where that can't be done.
    """

    def _set_content_type_params(self, meta):
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):  # charset*=none''x
            self.content_type, self.content_params = UNREADABLE, {}


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
    if request.content_type == UNREADABLE:
        return False
    try:
        charset = codecs.lookup(request.content_params.get("charset", "utf-8")).name
    except (LookupError, ValueError):
        return True
    return charset in CHARSETS or request.content_type not in FORMS
