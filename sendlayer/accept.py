"""What kind of answer a request asks for."""


def wants_text(request) -> bool:
    """Whether it is one of our scripts that shows or copies a password, not a page or fragment."""
    return request.get_preferred_type(["text/html", "text/plain"]) == "text/plain"
