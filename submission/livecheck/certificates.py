"""Which certificates a check trusts, and how it shows the one it met."""

import ssl
from contextlib import suppress
from pathlib import Path

NAMES = {"commonName": "CN", "organizationName": "O", "countryName": "C"}


def context(own_certificate: Path) -> ssl.SSLContext:
    """Return a client's context: the system's authorities, and our listener's own certificate where it is."""
    made = ssl.create_default_context()
    with suppress(OSError):  # no such file, or no certificate in it
        made.load_verify_locations(own_certificate)
    return made


def is_own(session: ssl.SSLObject, own_certificate: Path) -> bool:
    """Whether the server showed the certificate that our listener signed itself."""
    try:
        own = ssl.PEM_cert_to_DER_cert(own_certificate.read_text())
    except (OSError, ValueError):
        return False
    return session.getpeercert(binary_form=True) == own


def describe(session: ssl.SSLObject) -> list[str]:
    """What a transcript says about TLS and the certificate."""
    certificate = session.getpeercert()
    return [
        f"{session.version()}, {session.cipher()[0]}",
        f"Certificate: {_name(certificate['subject'])}",
        f"Issued by: {_name(certificate['issuer'])}",
        f"Valid until: {certificate['notAfter']}",
    ]


def _name(parts) -> str:
    """A distinguished name as getpeercert() gives it, as one text."""
    return ", ".join(f"{NAMES.get(key, key)}={value}" for part in parts for key, value in part) or "(no name)"
