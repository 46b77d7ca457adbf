MAX_LENGTH = 100


def search_text(request) -> str:
    """Return what a person searches for (`?q=`): trimmed, short, without NUL, which PostgreSQL refuses."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:MAX_LENGTH]
