"""The CSRF token of a page, as a context processor."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.utils.functional import SimpleLazyObject


def csrf_input_once(request: HttpRequest) -> dict[str, Any]:
    """Mask the token once a page: Django does so for each form, which takes as long as a query."""
    return {"csrf_input": SimpleLazyObject(partial(csrf_input, request))}
