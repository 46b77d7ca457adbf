from web.client_ip import client


class ForwardedMiddleware:
    """Say of each request whether it came over TLS, as the operator's proxies tell it.

    gunicorn would decide it by a rule and a list of its own (gunicorn.conf.py turns that off).
    Stands before all that asks request.is_secure().
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_secure = client(request.META).is_secure
        if is_secure is not None:
            request.META["wsgi.url_scheme"] = "https" if is_secure else "http"
        return self.get_response(request)
