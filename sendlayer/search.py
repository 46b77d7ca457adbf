MAX_LENGTH = 100


def search_text(query) -> str:
    """Return the search text of a query (a QueryDict): trimmed, short, no NUL (PostgreSQL refuses it)."""
    return query.get("q", "").replace("\x00", "").strip()[:MAX_LENGTH]
