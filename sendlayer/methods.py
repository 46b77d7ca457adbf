from django.http import HttpResponseNotAllowed

ALLOWED = ("GET", "HEAD", "POST", "OPTIONS")


class MethodsMiddleware:
    """Refuse every other method before any view sees it: Django's own views answer TRACE like GET."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request) if request.method in ALLOWED else HttpResponseNotAllowed(ALLOWED)
