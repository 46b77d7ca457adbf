"""Sign-ins that fail: a page with the reason for the user, a line in the log for the operator."""

import logging

from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.shortcuts import render

from accounts import openid

logger = logging.getLogger(__name__)
DETAIL_LENGTH = 500


class Problem(ImmediateHttpResponse):
    """Answers the current request with an error page. `detail`, for the log, holds no token and no code."""

    def __init__(self, title: str, text: str, *, detail: str, status: int = 403):
        logger.warning("OpenID Connect: %s", detail[:DETAIL_LENGTH])
        page = {"title": title, "text": text}
        super().__init__(
            render(context.request, "socialaccount/authentication_error.html", page, status=status)
        )


class ProviderFailed(Problem):
    """The provider is down, misconfigured, or answers what it must not."""

    def __init__(self, detail: str):
        text = (
            f"There is a problem with {openid.name()}, so you weren't signed in. Try again in a minute. "
            "If it happens again, ask the operator of this server: the reason is in its log."
        )
        super().__init__("Sign-in failed", text, detail=detail, status=502)
