MAX_LENGTH = 100


def search_text(query) -> str:
    """Return the search text of a query (a QueryDict): trimmed, short, without NUL, which PostgreSQL refuses."""
    return query.get("q", "").replace("\x00", "").strip()[:MAX_LENGTH]
