"""An act that was posted after the session had ended: after the sign-in, a page says that nothing was done.

The page offers the act's question again. All it needs is in its address, so that nothing is kept for anonymous
users.
"""

from urllib.parse import SplitResult, urlsplit

from django.contrib.auth.views import redirect_to_login
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from web.request import MAX_URL_LENGTH, asks_on_get, htmx_page

ACT, PAGE = "act", "page"


def sign_in_after(request) -> str:
    """Return the URL of the sign-in that leads to the page for this POST."""
    # A confirmation of the sign-in names the act that it was for.
    acts = filter(_question, (request.get_full_path(), request.POST.get("next", "")))
    page = htmx_page(request) if request.htmx else _referring_page(request)
    places = {ACT: next(acts, ""), PAGE: page.geturl()}
    query = urlencode({name: url for name, url in places.items() if url})
    return redirect_to_login(f"{reverse('account_nothing_done')}?{query}").url


def places(request) -> dict:
    """Return the paths that the page links to: `act`, the question ("" for none), and `page`."""
    page = request.GET.get(PAGE, "")
    is_own = _is_path(page) and urlsplit(page).path != request.path
    return {ACT: _question(request.GET.get(ACT, "")), PAGE: page if is_own else resolve_url("domains:home")}


def _question(url: str) -> str:
    """Return the path of a view that asks before it acts, or "" for anything else."""
    try:
        return url if _is_path(url) and asks_on_get(resolve(urlsplit(url).path).func) else ""
    except Resolver404:
        return ""


def _referring_page(request) -> SplitResult:
    """Return the path and query of the page that a form was on; empty when it is not ours."""
    referrer = request.headers.get("Referer", "")
    hosts = {request.get_host()}
    if len(referrer) > MAX_URL_LENGTH or not url_has_allowed_host_and_scheme(referrer, hosts):
        return urlsplit("")
    return urlsplit(referrer)._replace(scheme="", netloc="", fragment="")


def _is_path(url: str) -> bool:
    is_plain = len(url) <= MAX_URL_LENGTH and url.isprintable() and url.startswith("/")
    return is_plain and url_has_allowed_host_and_scheme(url, None)
