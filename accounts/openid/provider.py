"""The provider as allauth knows it: where it is, how it is asked, and what it answers."""

from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import parse_qsl

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.urls import reverse
from requests import RequestException

from accounts import email_addresses, openid
from accounts.openid import ProviderFailed, tokens
from web.characters import has_many_marks

# What this server uses of the discovery document; each has to be a URL that is safe to ask.
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
AUTH_METHODS = "token_endpoint_auth_methods_supported"
NAME_LENGTH = 100
SUB_LENGTH = 191  # of allauth's column; the standard allows 255


class Client(OAuth2Client):
    def get_redirect_url(self, authorization_url, scope, extra_params):
        # Some providers' endpoints come with a query string of their own.
        url, _, query = authorization_url.partition("?")
        return super().get_redirect_url(url, scope, dict(parse_qsl(query)) | extra_params)


class Requests(OpenIDConnectOAuth2Adapter):
    """All that is asked of the provider; every failure is a ProviderFailed."""

    client_class = Client

    @property
    def openid_config(self) -> dict:
        """The discovery document, fetched once a request."""
        if not hasattr(self, "_openid_config"):
            self._openid_config = self._discover()
        return self._openid_config

    @property
    def basic_auth(self) -> bool:
        # The default of the standard; allauth would post the secret.
        return "client_secret_post" not in (self.openid_config.get(AUTH_METHODS) or ["client_secret_basic"])

    def get_callback_url(self, request, app):
        return build_absolute_uri(request, reverse("openid_callback"))

    def claims(self, request, provider, *, code_verifier: str, nonce: str) -> dict:
        """Give the code of a callback back to the provider; return whom it says it signed in."""
        answer = self._redeem(request, provider, code_verifier)
        keys = _fetch(self.openid_config["jwks_uri"])
        try:
            claims = tokens.verify(
                answer.get("id_token"),
                keys,
                issuer=self.openid_config["issuer"],
                client_id=provider.app.client_id,
                nonce=nonce,
            )
        except tokens.InvalidToken as error:
            raise ProviderFailed(f"the ID token is not valid: {error}") from None
        if "email" not in claims:
            claims |= self._userinfo(answer["access_token"], claims["sub"])
        return claims

    def _discover(self) -> dict:
        address = openid.issuer()
        config = _fetch(address + openid.DISCOVERY)
        issuer = config.get("issuer")
        # Else one provider could speak for another (OpenID Connect Discovery 1.0, 4.3).
        if not isinstance(issuer, str) or issuer.rstrip("/") != address:
            raise ProviderFailed(f"OIDC_ISSUER is {address}, but the provider calls itself {issuer!r}")
        for endpoint in ENDPOINTS:
            if not openid.is_safe_url(config.get(endpoint)):
                raise ProviderFailed(f"its {endpoint} is no https URL: {config.get(endpoint)!r}")
        return config

    def _redeem(self, request, provider, code_verifier) -> dict:
        client = self.get_client(request, provider.app)
        try:
            answer = self.get_access_token_data(request, provider.app, client, code_verifier)
        except RequestException as error:
            raise ProviderFailed(f"its token endpoint: {type(error).__name__}: {error}") from None
        except (OAuth2Error, KeyError, TypeError, ValueError):
            answer = None  # the error of allauth quotes the answer, which may hold a token
        if not isinstance(answer, dict):
            hint = "are OIDC_CLIENT_ID and OIDC_CLIENT_SECRET right?"
            raise ProviderFailed(f"its token endpoint did not accept the code; {hint}")
        return answer

    def _userinfo(self, access_token, sub) -> dict:
        """E-mail and name, from providers that keep them out of the ID token."""
        url = self.openid_config.get("userinfo_endpoint")
        if not openid.is_safe_url(url):
            return {}
        found = _fetch(url, headers={"Authorization": f"Bearer {access_token}"})
        # Else it may tell of somebody else (OpenID Connect Core 1.0, 5.3.2).
        if found.get("sub") != sub:
            raise ProviderFailed("its userinfo is about another person than the ID token")
        return {claim: found[claim] for claim in ("email", "email_verified", "name") if claim in found}


class Provider(OpenIDConnectProvider):
    oauth2_adapter_class = Requests
    pkce_enabled_default = True

    def redirect(self, request, process="login", next_url=None, data=None, **kwargs):
        """Begin a sign-in. What allauth would take from the query string does not count here."""
        nonce = token_urlsafe(32)
        auth_params = {"nonce": nonce}
        return super().redirect(request, "login", next_url, data, auth_params=auth_params, nonce=nonce)

    def extract_uid(self, claims):
        sub = claims["sub"]
        if not sub or not sub.isprintable():
            raise ProviderFailed("the ID token has no usable sub")
        return sub if len(sub) <= SUB_LENGTH else sha256(sub.encode()).hexdigest()

    def extract_email_addresses(self, claims):
        email = claims.get("email")
        # In lower case some letters beyond ASCII turn into ASCII ones: another person's address.
        if not isinstance(email, str) or not email.isascii() or not email_addresses.is_valid(email):
            return []
        return [EmailAddress(email=email, verified=claims.get("email_verified") is True, primary=True)]

    def extract_common_fields(self, claims):
        name = claims.get("name")
        return {"name": _printable(name)} if isinstance(name, str) else {}

    def extract_extra_data(self, claims):
        return {}  # what is not kept cannot leak


def _printable(name: str) -> str:
    """A name as it can be shown; "" for one that would paint over the page."""
    name = "".join(filter(str.isprintable, name[: 10 * NAME_LENGTH])).strip()[:NAME_LENGTH]
    return "" if has_many_marks(name) else name


def _fetch(url, headers=None) -> dict:
    try:
        with get_adapter().get_requests_session() as session:
            response = session.get(url, headers=headers)
            response.raise_for_status()
            answer = response.json()
    except (RequestException, ValueError) as error:
        raise ProviderFailed(f"{url}: {type(error).__name__}: {error}") from None
    if not isinstance(answer, dict):
        raise ProviderFailed(f"{url} did not answer with a JSON object")
    return answer
