"""Client programs that sites use send through both servers, and show why they are refused.

`make test-clients` tries the others (all_clients.py).
"""

import pytest

from tests.clients.programs import SMALL
from tests.clients.running import Site, examine
from tests.factories import SYSTEM, password_of
from tests.submission.clients import SENDER
from tests.submission.conftest import start_listener  # noqa: F401  (fixture)

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def listener(start_listener, sink):  # noqa: F811
    """The listener, with Postfix's next hop."""
    # dma opens a connection for each recipient.
    with start_listener(SMTP_RELAY_URL=sink.url, SUBMISSION_MAX_CONNECTIONS_PER_IP="200") as listener:
        yield listener


@pytest.fixture
def site(request, mail, listener, credential, tmp_path, server):
    if server == "postfix":
        certificate, ports = mail.server.certificate, (mail.port, mail.server.tls_port)
    else:
        certificate, ports = listener.var_dir / "tls" / "submission.crt", (listener.port, listener.tls_port)
    return Site(tmp_path, certificate, *ports, credential.username, password_of(credential), SENDER)


@pytest.mark.parametrize("server", ["listener", "postfix"])
@pytest.mark.parametrize("program", SMALL, ids=lambda program: program.id)
def test_client_sends_and_shows_why_it_is_refused(site, sink, credential, program, server):
    outcome = examine(program, site, sink.sink, lambda: credential.remove(by=SYSTEM))
    assert (outcome.sends, outcome.body, outcome.many) == ("", "", "")
    assert "no" not in (outcome.wrong_password, outcome.wrong_sender, outcome.deleted)
