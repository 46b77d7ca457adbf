from urllib.parse import SplitResult, urlsplit

MAX_LENGTH = 2048  # of an address, as Django has it; urlsplit normalises a host, which takes its square


def page_of(request) -> SplitResult:
    """The address of the page that htmx asks from, without its host; empty when it is none of ours."""
    url = request.htmx.current_url_abs_path or ""
    try:
        return urlsplit(url if len(url) <= MAX_LENGTH else "")
    except ValueError:  # a header may say anything: "http://["
        return urlsplit("")
