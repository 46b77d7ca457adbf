"""Parts of a request: the wanted form of the answer, posted fields, page and search of a list."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

MAX_SEARCH_LENGTH = 100
MAX_ACCEPT_LENGTH = 1000  # characters; browsers send some 200, and parsing takes quadratic time
MAX_URL_LENGTH = 2048  # as in Django; urlsplit normalises a host in quadratic time


def ask_or_act(view: Any) -> Any:
    """Decorate a view that asks or shows on GET and acts on POST."""
    decorated = require_http_methods(["GET", "HEAD", "POST"])(view)
    decorated.asks_on_get = True
    return decorated


def asks_on_get(view: Any) -> bool:
    """Whether a view, as the URLs have it, is one of those."""
    return getattr(view, "asks_on_get", False)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return the fields of a POST; None on GET, for a form that is only shown."""
    return request.POST if request.method == "POST" else None


def wants_text(request: HttpRequest) -> bool:
    """Whether one of our scripts asks, which shows or copies a password, not a page."""
    if len(request.headers.get("Accept", "")) > MAX_ACCEPT_LENGTH:
        return False
    return request.get_preferred_type(["text/html", "text/plain"]) == "text/plain"


def htmx_page(request: Any) -> SplitResult:
    """Return the path and query of the page that htmx asks from; empty when it is not ours."""
    if len(request.headers.get("HX-Current-URL", "")) > MAX_URL_LENGTH:
        return urlsplit("")
    try:
        return urlsplit(request.htmx.current_url_abs_path or "")
    except ValueError:  # any client can send "http://["
        return urlsplit("")


def query_of_page_before(request: HttpRequest) -> QueryDict:
    """Return the query of the page of ours that a link or form was on; empty when it is not known."""
    page = request.headers.get("Referer", "")
    is_ours = len(page) <= MAX_URL_LENGTH and url_has_allowed_host_and_scheme(page, {request.get_host()})
    return QueryDict(urlsplit(page).query if is_ours else "")


def search_text(query: QueryDict) -> str:
    """Return the search text of a query: trimmed, short, without NUL, which PostgreSQL refuses."""
    return query.get("q", "").replace("\x00", "").strip()[:MAX_SEARCH_LENGTH]


def list_position(request: Any) -> dict:
    """Return page number and search text of a list, from this request or the page that htmx asks from."""
    query = request.GET
    if request.htmx:
        page = htmx_page(request)
        query = query if page.path == request.path else QueryDict(page.query)
    return {"number": query.get("page"), "search": search_text(query)}
