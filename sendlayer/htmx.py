from urllib.parse import SplitResult, urlsplit


def page_of(request) -> SplitResult:
    """The address of the page that htmx asks from, without its host; empty when it is none of ours."""
    try:
        return urlsplit(request.htmx.current_url_abs_path or "")
    except ValueError:  # a header may say anything: "http://["
        return urlsplit("")
