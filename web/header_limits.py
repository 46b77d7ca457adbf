"""What of a request's headers is too long to be read, taken away before Django reads it."""

MAX_CONTENT_TYPE = 1000  # characters; a multipart one has some 70


def bounded(application):
    """Wrap a WSGI application, so that no request costs more than its length.

    gunicorn takes 100 headers of 8 KB and joins those of one name.
    """

    def call(environ, start_response):
        bound(environ)
        return application(environ, start_response)

    return call


def bound(environ: dict) -> None:
    # Unquoting one takes the square of its backslashes (CVE-2024-7592; Python 3.11 before 3.11.10). None
    # of ours has any; another site's below the same domain may.
    cookies = environ.get("HTTP_COOKIE", "")
    if "\\" in cookies:
        environ["HTTP_COOKIE"] = ";".join(each for each in cookies.split(";") if "\\" not in each)
    # Django reads its parameters before any middleware, which takes the square of its semicolons.
    if len(environ.get("CONTENT_TYPE", "")) > MAX_CONTENT_TYPE:
        environ["CONTENT_TYPE"] = ""
