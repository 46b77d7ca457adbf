"""What a request asks for: the form of the answer, the fields of a form, the page and search of a list."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest, QueryDict
from django.views.decorators.http import require_http_methods

MAX_SEARCH_LENGTH = 100
MAX_ACCEPT_LENGTH = 1000  # characters; browsers send some 200, and reading it takes the square of its length
MAX_URL_LENGTH = 2048  # of an address, as Django has it; urlsplit normalises a host, which takes its square

# Views that ask, or show themselves, on GET and act on POST.
ask_or_act = require_http_methods(["GET", "HEAD", "POST"])


def posted(request: HttpRequest) -> QueryDict | None:
    """The fields of a POST; None on GET, so that a form only asks or shows itself."""
    return request.POST if request.method == "POST" else None


def wants_text(request: HttpRequest) -> bool:
    """Whether it is one of our scripts that shows or copies a password, not a page or fragment."""
    if len(request.headers.get("Accept", "")) > MAX_ACCEPT_LENGTH:
        return False
    return request.get_preferred_type(["text/html", "text/plain"]) == "text/plain"


def htmx_page(request: Any) -> SplitResult:
    """The address of the page that htmx asks from, without its host; empty when it is none of ours."""
    if len(request.headers.get("HX-Current-URL", "")) > MAX_URL_LENGTH:
        return urlsplit("")
    try:
        return urlsplit(request.htmx.current_url_abs_path or "")
    except ValueError:  # a header may say anything: "http://["
        return urlsplit("")


def search_text(query: QueryDict) -> str:
    """The search text of a query: trimmed, short, without NUL, which PostgreSQL refuses."""
    return query.get("q", "").replace("\x00", "").strip()[:MAX_SEARCH_LENGTH]


def list_position(request: Any) -> dict:
    """Page number and search text of a list: of this request, or of the page that htmx asks from."""
    query = request.GET
    if request.htmx:
        page = htmx_page(request)
        query = query if page.path == request.path else QueryDict(page.query)
    return {"number": query.get("page"), "search": search_text(query)}
