from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from accounts import ended_session
from accounts.reauthentication import ask_to_confirm
from accounts.sessions import expiry
from accounts.sessions.listing import record_seen
from web.request import htmx_page, query_of_page_before


class SignInAgainMiddleware:
    """Lead to the sign-in and back when a session ended under an open tab.

    After an act, back is the page that says that nothing was done. With htmx the whole page is redirected: it
    would put the sign-in form into a row of the table. Must come after HtmxMiddleware.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        location = response.headers.get("Location", "")
        if not location.startswith(resolve_url(settings.LOGIN_URL)):
            return response
        if request.method == "POST" and location == redirect_to_login(request.get_full_path()).url:
            location = response.headers["Location"] = ended_session.sign_in_after(request)
        elif request.htmx:
            location = redirect_to_login(htmx_page(request).geturl() or "/").url
        return HttpResponseClientRedirect(location) if request.htmx else response

    def process_exception(self, request, exception):
        """Ask for a confirmation before allauth does so in its own way."""
        return ask_to_confirm(request) if isinstance(exception, ReauthenticationRequired) else None


class CameFromMiddleware:
    """Keep the domain that the user came from in the URL of every page of the account: `?from=<domain>`.

    In the URL, because two tabs may have come from two domains. Most links and all forms lose it, so it's taken
    from the page before.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_page = request.method == "GET" and request.path.startswith("/account/") and not request.htmx
        if not is_page or "from" in request.GET or not (name := query_of_page_before(request).get("from")):
            return self.get_response(request)
        query = request.GET.copy()
        query["from"] = name
        return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")


class SessionLimitsMiddleware:
    """End expired sessions. Must come between AuthenticationMiddleware and LoginRequiredMiddleware."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if expiry.is_expired(request.session):
            request.session.flush()
        else:
            expiry.record_use(request.session)


class LastSeenMiddleware:
    """Record from time to time where a session is used from. Must come after AuthenticationMiddleware."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        # Only where the view loaded the user: loading them here would cost a query.
        if hasattr(request, "_cached_user") and request.user.is_authenticated:
            record_seen(request)
        return response
