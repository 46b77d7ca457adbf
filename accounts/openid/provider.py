"""The provider: stricter checks of what it answers than allauth's own."""

from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import parse_qsl

from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from requests import RequestException

from accounts import email_addresses, openid
from accounts.openid.problems import ProviderFailed
from web import text as labels
from web.characters import has_many_marks

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
NAME_LENGTH = 100
SUB_LENGTH = 191  # of allauth's column; the standard allows 255


class Client(OAuth2Client):
    def get_redirect_url(self, authorization_url, scope, extra_params):
        # Some providers' endpoints come with a query string of their own.
        url, _, query = authorization_url.partition("?")
        return super().get_redirect_url(url, scope, dict(parse_qsl(query)) | extra_params)


class Adapter(OpenIDConnectOAuth2Adapter):
    client_class = Client

    @cached_property
    def openid_config(self) -> dict:
        """The discovery document, once it is known to be the issuer's and to name safe endpoints."""
        try:
            config = super().openid_config
        except (RequestException, AttributeError) as error:  # AttributeError: not a JSON object
            raise ProviderFailed(f"{settings.OIDC_ISSUER}: {type(error).__name__}: {error}") from None
        # Otherwise one provider could speak for another (OpenID Connect Discovery 1.0, 4.3).
        issuer = config.get("issuer")
        if not isinstance(issuer, str) or issuer.rstrip("/") != settings.OIDC_ISSUER:
            raise ProviderFailed(
                f"OIDC_ISSUER is {settings.OIDC_ISSUER}, but the provider calls itself {issuer!r}"
            )
        for endpoint in ENDPOINTS:
            if not openid.is_safe_url(config.get(endpoint)):
                raise ProviderFailed(f"its {endpoint} is no https URL: {config.get(endpoint)!r}")
        # The default of the standard; allauth would post the secret.
        return {"token_endpoint_auth_methods_supported": ["client_secret_basic"]} | config

    def get_callback_url(self, request, app):
        return build_absolute_uri(request, reverse("openid_callback"))

    def get_access_token_data(self, request, app, client, pkce_code_verifier=None):
        try:
            answer = super().get_access_token_data(request, app, client, pkce_code_verifier)
            self.parse_token(answer)
        except (OAuth2Error, KeyError, TypeError, ValueError):
            # allauth's error quotes the answer, which may hold a token.
            hint = "are OIDC_CLIENT_ID and OIDC_CLIENT_SECRET right?"
            raise OAuth2Error(f"its token endpoint did not accept the code; {hint}") from None
        return answer


class Provider(OpenIDConnectProvider):
    oauth2_adapter_class = Adapter

    def get_redirect_from_request_kwargs(self, request):
        """Return the parameters of a sign-in, without those that allauth takes from the query string."""
        nonce = token_urlsafe(32)
        return {
            "process": AuthProcess.LOGIN,
            "next_url": get_next_redirect_url(request),
            "auth_params": {"nonce": nonce},
            "nonce": nonce,  # kept with the state, for pre_social_login
        }

    def sociallogin_from_response(self, request, response):
        """Return the sign-in by the claims of the userinfo and the ID token."""
        userinfo, id_token = response["userinfo"], response.get("id_token", {})
        # Otherwise it may describe another person (OpenID Connect Core 1.0, 5.3.2).
        if not isinstance(userinfo, dict) or userinfo.get("sub") != id_token.get("sub"):
            raise OAuth2Error("its userinfo is about another person than the ID token")
        login = super().sociallogin_from_response(request, _claims_of(userinfo, id_token))
        login.nonce = id_token.get("nonce")
        return login

    def extract_uid(self, claims):
        sub = claims.get("sub")
        if not isinstance(sub, str) or not sub or not sub.isprintable():
            raise OAuth2Error("the ID token has no usable sub")
        return sub if len(sub) <= SUB_LENGTH else sha256(sub.encode()).hexdigest()

    def extract_email_addresses(self, claims):
        email = claims.get("email")
        # In lower case some non-ASCII letters become ASCII: another person's address.
        if not isinstance(email, str) or not email.isascii() or not email_addresses.is_valid(email):
            return []
        return [EmailAddress(email=email, verified=_is_confirmed(claims), primary=True)]

    def extract_common_fields(self, claims):
        name = claims.get("name")
        return {"name": _printable(name)} if isinstance(name, str) else {}

    def extract_extra_data(self, claims):
        return {}  # what is not stored can't leak


def _claims_of(userinfo: dict, id_token: dict) -> dict:
    """Return the claims of the one that names an e-mail, preferably the userinfo.

    It gets `email_verified` from the other one, unless that is about another address.
    """
    claims, other = (userinfo, id_token) if "email" in userinfo else (id_token, userinfo)
    if "email_verified" in claims or other.get("email", claims.get("email")) != claims.get("email"):
        return claims
    return claims | {"email_verified": other.get("email_verified")}


def _is_confirmed(claims: dict) -> bool:
    """Whether the provider confirmed the e-mail; where it doesn't say, whether the operator vouches for it."""
    verified = claims.get("email_verified")
    if verified is None:
        return settings.OIDC_TRUST_EMAIL
    return str(verified).lower() == "true"  # Amazon Cognito sends it as text


def _printable(name: str) -> str:
    """Return a name as users can write theirs, or what is printable of it; "" if it paints over the page."""
    with suppress(ValidationError):
        return labels.clean(name[: labels.MAX_INPUT])
    name = "".join(filter(str.isprintable, name[: 10 * NAME_LENGTH])).strip()[:NAME_LENGTH]
    return "" if has_many_marks(name) else name
