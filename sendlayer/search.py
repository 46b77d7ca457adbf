from urllib.parse import urlsplit

from django.http import QueryDict

MAX_LENGTH = 100


def search_text(query) -> str:
    """Return the search text of a query (a QueryDict): trimmed, short, no NUL (PostgreSQL refuses it)."""
    return query.get("q", "").replace("\x00", "").strip()[:MAX_LENGTH]


def shown(request) -> dict:
    """Page number and search text of a list: of this request, or of the page that htmx asks from elsewhere."""
    query = request.GET
    if request.htmx:
        page = urlsplit(request.htmx.current_url_abs_path or "")
        query = query if page.path == request.path else QueryDict(page.query)
    return {"number": query.get("page"), "search": search_text(query)}
