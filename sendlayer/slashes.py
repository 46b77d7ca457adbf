from django.middleware import common


class CommonMiddleware(common.CommonMiddleware):
    """Leads to the address with its last slash, but no POST: browsers would go there without its body."""

    def should_redirect_with_slash(self, request):
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)
