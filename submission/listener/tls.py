"""The listener's certificate: the operator's, or a self-signed one in VAR_DIR/tls."""

import os
import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

LIFETIME = timedelta(days=825)  # the maximum that Apple's systems accept
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(hours=1)


def load(context: ssl.SSLContext, cert: str, key: str) -> None:
    """Load a pair of PEM files for all handshakes from now on. Raises OSError, ssl.SSLError."""
    context.load_cert_chain(cert, key, password=_no_passphrase)


def context() -> ssl.SSLContext:
    """Return a server's context for TLS 1.2 or later, still without certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def self_signed(folder: Path, host: str) -> tuple[str, str]:
    """Return the paths of certificate and key for `host`, and create them if necessary.

    They are created if they are missing, expire within 30 days or name another host.
    Raises OSError.
    """
    cert_path, key_path = folder / "submission.crt", folder / "submission.key"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_usable(cert_path, key_path, host):
        key = ec.generate_private_key(ec.SECP256R1())
        _replace(key_path, _key_pem(key), 0o600)
        _replace(cert_path, _sign(key, host).public_bytes(serialization.Encoding.PEM), 0o644)
    return str(cert_path), str(key_path)


def _is_usable(cert_path: Path, key_path: Path, host: str) -> bool:
    try:
        cert = x509.load_pem_x509_certificate(cert_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    if cert.not_valid_after_utc - RENEW_BEFORE < timezone.now() or key.public_key() != cert.public_key():
        return False
    return set(_names(host)) <= set(names)


def _names(host: str) -> list[x509.GeneralName]:
    names = []
    for name in dict.fromkeys([host, "localhost", "127.0.0.1"]):
        try:
            names.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            names.append(x509.DNSName(name))
    return names


def _sign(key, host: str) -> x509.Certificate:
    # A common name has at most 64 characters; clients use the alternative names.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = timezone.now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _key_pem(key) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _replace(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_suffix(f"{path.suffix}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.rename(draft, path)


def _no_passphrase() -> str:
    # Without this, OpenSSL would ask for one at the terminal.
    return ""
