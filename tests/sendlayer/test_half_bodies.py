"""An incomplete form changes nothing, with a length or in chunks."""

import socket
from contextlib import suppress

import pytest
from django.conf import settings
from django.test import Client

from audit.models import Event
from tests.http import sign_in, smtp_url
from tests.servers import collect_static, free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SECONDS = 60
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def port(django_db_setup, django_db_blocker, tmp_path_factory):
    collect_static()
    port, log = free_port(), tmp_path_factory.mktemp("web") / "log"
    server = running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, PORT=str(port))
    with django_db_blocker.unblock(), server:
        yield port
    assert "Traceback" not in log.read_text()


@pytest.fixture
def send(port, alice, credential):
    """Send a form of Alice's: send(act, body, *headers) → the status. `ends` closes the sending side."""
    credential.__class__.objects.filter(pk=credential.pk).update(label="kept", allowed_networks="192.0.2.0/24")
    session = sign_in(Client(), alice).cookies[settings.SESSION_COOKIE_NAME].value
    token = "c" * 32

    def send(act, body, *headers, ends=True, kind="application/x-www-form-urlencoded"):
        lines = [
            f"POST {smtp_url(credential, act)} HTTP/1.1",
            "Host: localhost",
            f"Cookie: {settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}",
            f"X-CSRFToken: {token}",
            f"Content-Type: {kind}",
            *headers,
            "Connection: close",
        ]
        with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
            # A server that refuses a body may close before all of it is sent; its answer is there to be read.
            with suppress(ConnectionError):
                connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            if ends:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            return int(connection.makefile("rb").readline().split(b" ", 2)[1])

    return send


def kept(credential):
    credential.refresh_from_db()
    return credential.label, credential.allowed_networks


PARTS = "--x\r\nContent-Disposition: form-data; name=label\r\n\r\n"


@pytest.mark.parametrize(
    ("act", "body", "headers"),
    [
        ("networks", "networks=", ["Content-Length: 60"]),
        ("label", "label=", ["Content-Length: 60"]),
        ("label", "", ["Content-Length: 60"]),
        ("label", "label=whole", ["Content-Length: 12"]),
        ("networks", "9\r\nnetworks=\r\n", [CHUNKED]),
        ("label", "3c\r\nlabel=", [CHUNKED]),
        ("label", "6\r\nlabel=\r\n0\r\n", [CHUNKED]),
    ],
)
def test_form_that_ends_early_is_refused_and_changes_nothing(send, credential, act, body, headers):
    before, events = kept(credential), Event.objects.count()
    assert send(act, body, *headers) == 400
    assert kept(credential) == before == ("kept", "192.0.2.0/24")
    assert Event.objects.count() == events


def test_multipart_form_that_ends_early_changes_nothing(send, credential):
    kind = "multipart/form-data; boundary=x"
    assert send("label", PARTS + "wh", "Content-Length: 999", kind=kind) == 400
    assert kept(credential)[0] == "kept"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("3\r\nlab\r\n8;x=y\r\nel=whole\r\n0\r\nX-Trailer: y\r\n\r\n", "application/x-www-form-urlencoded"),
        (
            f"{len(PARTS):x}\r\n{PARTS}\r\ne\r\nwhole\r\n--x--\r\n\r\n0\r\n\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_chunked_form_is_read_in_full(send, credential, body, kind):
    assert send("label", body, CHUNKED, kind=kind, ends=False) == 302
    assert kept(credential)[0] == "whole"


def test_too_big_chunked_form_is_refused_and_changes_nothing(send, credential):
    assert send("label", "2dc6c0\r\nlabel=" + "x" * 3_000_000, CHUNKED) == 413
    assert kept(credential)[0] == "kept"
