from django.http import QueryDict

from sendlayer.htmx import page_of

MAX_LENGTH = 100


def search_text(query) -> str:
    """Return the search text of a query (a QueryDict): trimmed, short, no NUL (PostgreSQL refuses it)."""
    return query.get("q", "").replace("\x00", "").strip()[:MAX_LENGTH]


def shown(request) -> dict:
    """Page number and search text of a list: of this request, or of the page that htmx asks from elsewhere."""
    query = request.GET
    if request.htmx:
        page = page_of(request)
        query = query if page.path == request.path else QueryDict(page.query)
    return {"number": query.get("page"), "search": search_text(query)}
