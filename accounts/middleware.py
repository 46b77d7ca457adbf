from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from accounts.reauthentication import ask_to_confirm
from accounts.sessions import expiry
from accounts.sessions.listing import note_seen
from web.request import htmx_page


class SignInAgainMiddleware:
    """Send the whole page to the sign-in when a session ends under an open tab.

    htmx would follow the redirect and put the sign-in form into a row of the table.
    Stands after HtmxMiddleware.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        location = response.headers.get("Location", "")
        if not request.htmx or not location.startswith(resolve_url(settings.LOGIN_URL)):
            return response
        page = htmx_page(request).geturl() or "/"
        return HttpResponseClientRedirect(redirect_to_login(page).url)

    def process_exception(self, request, exception):
        """Answer before allauth asks for a confirmation in its own way."""
        return ask_to_confirm(request) if isinstance(exception, ReauthenticationRequired) else None


class SessionLimitsMiddleware:
    """End sessions that are over. Stands between AuthenticationMiddleware and LoginRequiredMiddleware."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if expiry.is_over(request.session):
            request.session.flush()
        else:
            expiry.note_use(request.session)


class LastSeenMiddleware:
    """Note now and then from where each session is used. Stands after AuthenticationMiddleware."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        # Only where the answer needed the person: asking for them here would cost a query.
        if hasattr(request, "_cached_user") and request.user.is_authenticated:
            note_seen(request)
        return response
