from django.conf import settings
from django.http import HttpResponse


class BodiesMiddleware:
    """Refuse a body that no form here has.

    Django bounds the fields of one, but keeps files of any size on disk. A body without a length
    (chunked) is none to Django.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        length = request.META.get("CONTENT_LENGTH") or "0"
        # int() raises for thousands of digits.
        if length.isdecimal() and len(length) < 20 and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        return HttpResponse("The request is too big.", status=413, content_type="text/plain; charset=utf-8")
