"""Removal of headers that are too long to parse, before Django sees them."""

MAX_CONTENT_TYPE = 1000  # characters; a multipart one has some 70


def bounded(application):
    """Wrap a WSGI application so that the cost of headers grows linearly with their length.

    gunicorn accepts 100 headers of 8 KB and joins those of one name.
    """

    def call(environ, start_response):
        bound(environ)
        return application(environ, start_response)

    return call


def bound(environ: dict) -> None:
    # Unquoting a cookie takes quadratic time in its backslashes (CVE-2024-7592; Python 3.11 before 3.11.10).
    # Ours have none; another site's below the same domain may.
    cookies = environ.get("HTTP_COOKIE", "")
    if "\\" in cookies:
        environ["HTTP_COOKIE"] = ";".join(cookie for cookie in cookies.split(";") if "\\" not in cookie)
    # Django parses its parameters before any middleware, in quadratic time in its semicolons.
    if len(environ.get("CONTENT_TYPE", "")) > MAX_CONTENT_TYPE:
        environ["CONTENT_TYPE"] = ""
