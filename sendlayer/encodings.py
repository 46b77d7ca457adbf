from django.http import HttpResponse

AS_IT_IS = {"", "identity"}


class EncodingsMiddleware:
    """Refuse a compressed body: nothing unpacks one, so its fields would be taken for missing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.headers.get("Content-Encoding", "").strip().lower() in AS_IT_IS:
            return self.get_response(request)
        return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
