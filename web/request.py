"""What kind of answer a request asks for."""

MAX_LENGTH = 1000  # characters of a header; browsers send some 200, and reading one takes the square of it


def wants_text(request) -> bool:
    """Whether it is one of our scripts that shows or copies a password, not a page or fragment."""
    if len(request.headers.get("Accept", "")) > MAX_LENGTH:
        return False
    return request.get_preferred_type(["text/html", "text/plain"]) == "text/plain"
