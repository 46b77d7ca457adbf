from urllib.parse import SplitResult, urlsplit

MAX_LENGTH = 2048  # of an address, as Django has it; urlsplit normalises a host, which takes its square


def page_of(request) -> SplitResult:
    """The address of the page that htmx asks from, without its host; empty when it is none of ours."""
    if len(request.headers.get("HX-Current-URL", "")) > MAX_LENGTH:
        return urlsplit("")
    try:
        return urlsplit(request.htmx.current_url_abs_path or "")
    except ValueError:  # a header may say anything: "http://["
        return urlsplit("")
