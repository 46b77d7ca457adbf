import pytest

from domains.dns import resolver as dns
from tests.dns.server import FakeResolver, dns_server


@pytest.fixture(scope="session")
def running_nsd(tmp_path_factory):
    with dns_server(tmp_path_factory.mktemp("nsd")) as server:
        yield server


@pytest.fixture
def nsd(running_nsd, settings):
    """A running nsd with empty zones, as the configured resolver."""
    running_nsd.empty()
    settings.DNS_RESOLVERS = [running_nsd.address]
    return running_nsd


@pytest.fixture
def fake(settings):
    """A configured resolver that answers as its test says, and is silent until then."""
    with FakeResolver() as resolver:
        settings.DNS_RESOLVERS = [resolver.address]
        yield resolver


@pytest.fixture
def short_timeouts(monkeypatch):
    """Short timeouts for silent resolvers."""
    monkeypatch.setattr(dns, "TRY_SECONDS", 0.1)
    monkeypatch.setattr(dns, "LIFETIME_SECONDS", 0.4)
