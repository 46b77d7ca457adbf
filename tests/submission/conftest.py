import smtplib
from contextlib import ExitStack, contextmanager

import pytest

from credentials.passwords import PATTERN
from tests import servers
from tests.submission.clients import Listener


@pytest.fixture(scope="session")
def start_listener(django_db_setup, tmp_path_factory):
    """Start the real `manage.py submission`: a context manager that takes its environment."""

    @contextmanager
    def start(**environment):
        folder = tmp_path_factory.mktemp("submission")
        port, tls_port = servers.free_port(), servers.free_port()
        environment = {
            "VAR_DIR": str(folder),
            "SUBMISSION_ADDRESS": ",".join(servers.loopback()),
            "SUBMISSION_PORT": str(port),
            "SUBMISSION_TLS_PORT": str(tls_port),
            "LOG_LEVEL": "DEBUG",
            "SUBMISSION_MAX_CONNECTIONS_PER_IP": "30",
            # All tests together are one client.
            "SUBMISSION_MAX_WRONG_LOGINS_PER_IP": "1000000",
        } | environment
        log = folder / "log"
        with servers.running(["manage.py", "submission"], port=port, log=log, **environment) as process:
            yield Listener(port, log, folder, process, tls_port)
        # Whatever a test did: no password that was ever issued stands in a log.
        assert not PATTERN.search(log.read_text())

    return start


@pytest.fixture(scope="session")
def listener(start_listener):
    """One listener for all tests that need no settings of their own."""
    with start_listener() as listener:
        yield listener


@pytest.fixture(autouse=True)
def close_clients(monkeypatch):
    """Close every smtplib client at the end of the test that opened it."""
    opened = []
    original = smtplib.SMTP.__init__

    def remember(self, *args, **kwargs):
        original(self, *args, **kwargs)
        opened.append(self)

    monkeypatch.setattr(smtplib.SMTP, "__init__", remember)
    yield
    for smtp in opened:
        smtp.close()


@pytest.fixture
def smtp(listener, credential):
    """A client that is logged in as `credential`, of sl.example.com."""
    return listener.login(credential)


@pytest.fixture
def secure(listener):
    """A client within TLS, not logged in."""
    return listener.secure()


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def outbox(listener):
    """Return a function that returns the messages stored during this test."""
    before = set(listener.messages())
    return lambda: [message for message in listener.messages() if message not in before]
