"""SMTP_TLS_PORT, the port with implicit TLS, is shown beside the one with STARTTLS, if it is offered."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from credentials.diagnosis import explain
from tests.credentials.test_hand_over import make_link
from tests.factories import make_credential
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db


def pages(client, credential):
    """Every page that shows host and port: full rows, the SMTP user's, General, a hand-over, and light rows."""
    yield client.get(smtp_url(credential.domain))
    yield client.get(smtp_url(credential, "page"))
    yield client.get(reverse("domains:settings", args=[credential.domain.name]))
    yield client.post(smtp_url(credential, "reveal"))
    yield Client().post(make_link(client, credential))
    for _ in range(4):
        make_credential(credential.domain)
    yield client.get(smtp_url(credential.domain))


@pytest.mark.parametrize("port", [None, 465])
def test_port_with_implicit_tls_is_shown_where_the_port_is(as_alice, credential, settings, port):
    settings.SMTP_TLS_PORT = port
    for response in pages(as_alice, credential):
        page = text(response)
        assert response.status_code == 200 and re.search("587", page) and "STARTTLS" in page
        assert bool(re.search(r"465(</code>)? with (implicit )?TLS", page)) is (port is not None)


def test_copied_text_names_both_ports(as_alice, credential, settings):
    assert "Port: 587 (STARTTLS)</pre>" in text(as_alice.get(smtp_url(credential, "page")))
    settings.SMTP_TLS_PORT = 465
    assert "Port: 587 (STARTTLS) or 465 (TLS)</pre>" in text(as_alice.get(smtp_url(credential, "page")))


@pytest.mark.parametrize(("port", "is_wrong"), [(None, True), (465, False)])
def test_explain_calls_the_offered_tls_port_no_wrong_port(credential, settings, port, is_wrong):
    settings.SMTP_TLS_PORT = port
    line = "connect to smtp.sendlayer.net:465: Connection refused"
    assert ("465" in explain.explain(line, credential, now=timezone.now()).title) is is_wrong
