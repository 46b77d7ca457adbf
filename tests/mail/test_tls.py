"""TLS at Postfix: which versions and suites it takes."""

import ssl

import pytest

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]


def suite(mail, ciphers, version):
    """The suite that a client gets who can do nothing else."""
    context = ssl.create_default_context(cafile=mail.server.certificate)
    # A client's own minimum is not what is tested.
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    if "aNULL" in ciphers:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    smtp = mail.connect()
    smtp.starttls(context=context)
    return smtp.sock.cipher()[0]


@pytest.mark.parametrize("ciphers", ["ECDHE+AESGCM", "ECDHE+CHACHA20", "ALL:COMPLEMENTOFALL"])
def test_suites_with_forward_secrecy_are_accepted(mail, ciphers):
    found = suite(mail, ciphers, ssl.TLSVersion.TLSv1_2)
    assert "DHE-" in found and ("GCM" in found or "CHACHA20" in found)


# All of them fit the certificate of the tests, which is an ECDSA one.
@pytest.mark.parametrize("ciphers", ["aNULL", "ECDHE+AES+SHA1", "ECDHE+AES+SHA256", "CAMELLIA", "AESCCM"])
def test_other_suites_are_refused(mail, ciphers):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        suite(mail, ciphers, ssl.TLSVersion.TLSv1_2)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_1_is_refused(mail):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        suite(mail, "ALL", ssl.TLSVersion.TLSv1_1)
