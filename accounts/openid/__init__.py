"""Sign-in by OpenID Connect, when OIDC_ISSUER names a provider.

django-allauth's own provider does the work; what is stricter here: endpoints and nonce
(provider.py), and which users a provider lets in (people.py).
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

URL_LENGTH = 2048  # urlsplit normalises a host, which takes the square of its length
ISSUER_LENGTH = 200  # of allauth's column


def name() -> str:
    """Return what the provider is called on the button and in sentences; "" when there is none."""
    return settings.OIDC_NAME if settings.OIDC_ISSUER else ""


def is_usable_issuer(url: str) -> bool:
    return is_safe_url(url) and not set(url) & set("?# ") and len(url) <= ISSUER_LENGTH


def is_safe_url(url) -> bool:
    """Whether secrets may be sent to this URL: https, or a provider on this machine."""
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
