"""Views that ask, or show themselves, on GET and act on POST."""

from django.views.decorators.http import require_http_methods

ask_or_act = require_http_methods(["GET", "HEAD", "POST"])


def posted(request):
    """The fields of a POST, for a form that only asks or shows itself otherwise."""
    return request.POST if request.method == "POST" else None
