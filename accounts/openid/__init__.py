"""Sign-in by OpenID Connect, when OIDC_ISSUER names a provider.

allauth's provider does the redirect and keeps the state; what a provider says is checked
here, more strictly than allauth does: the ID token by its signature and nonce (tokens.py),
and whom it lets in by rules of our own (people.py).
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

DISCOVERY = "/.well-known/openid-configuration"
URL_LENGTH = 2048  # urlsplit normalises a host, which takes the square of its length
ISSUER_LENGTH = 200  # of allauth's column


class Problem(Exception):
    """A sign-in that does not work: what the person reads, and what the log says.

    The detail is for the operator; it holds no token and no code.
    """

    def __init__(self, title: str, text: str, *, detail: str, status: int = 403):
        super().__init__(detail)
        self.title, self.text, self.status = title, text, status


class ProviderFailed(Problem):
    """The provider is down, misconfigured, or says what it must not."""

    def __init__(self, detail: str):
        text = (
            f"There is a problem with {name()}, so you weren't signed in. Try again in a minute. "
            "If it happens again, ask the operator of this server: the reason is in its log."
        )
        super().__init__("Sign-in failed", text, detail=detail, status=502)


def is_on() -> bool:
    return bool(settings.OIDC_ISSUER)


def name() -> str:
    """What the provider is called on the button and in sentences; "" when there is none."""
    return settings.OIDC_NAME if is_on() else ""


def issuer() -> str:
    """The issuer without what people paste along: the discovery path, or a last slash."""
    return settings.OIDC_ISSUER.removesuffix(DISCOVERY).rstrip("/")


def is_usable_issuer(url: str) -> bool:
    return is_safe_url(url) and not set(url) & set("?# ") and len(url) <= ISSUER_LENGTH


def is_safe_url(url) -> bool:
    """Whether secrets may go to this URL: https, or a provider on this very machine."""
    if not isinstance(url, str) or len(url) > URL_LENGTH:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
