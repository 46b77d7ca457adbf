"""The certificates that a check trusts, and the description of the server's."""

import ssl
from contextlib import suppress
from pathlib import Path

ATTRIBUTE_NAMES = {"commonName": "CN", "organizationName": "O", "countryName": "C"}


def context(own_certificate: Path) -> ssl.SSLContext:
    """Return a client's context that trusts the system's authorities and our listener's own certificate."""
    client_context = ssl.create_default_context()
    with suppress(OSError):  # missing, or not a certificate
        client_context.load_verify_locations(own_certificate)
    return client_context


def is_own(session: ssl.SSLObject, own_certificate: Path) -> bool:
    """Whether the server presented our listener's self-signed certificate."""
    try:
        own = ssl.PEM_cert_to_DER_cert(own_certificate.read_text())
    except (OSError, ValueError):
        return False
    return session.getpeercert(binary_form=True) == own


def describe(session: ssl.SSLObject) -> list[str]:
    """The lines of the transcript about TLS and the certificate."""
    certificate = session.getpeercert()
    return [
        f"{session.version()}, {session.cipher()[0]}",
        f"Certificate: {_name(certificate['subject'])}",
        f"Issued by: {_name(certificate['issuer'])}",
        f"Valid until: {certificate['notAfter']}",
    ]


def _name(parts) -> str:
    """A distinguished name of getpeercert() as text."""
    pairs = (pair for part in parts for pair in part)
    return ", ".join(f"{ATTRIBUTE_NAMES.get(key, key)}={value}" for key, value in pairs) or "(no name)"
