"""The client address of a request: the peer's, or the one that a trusted proxy saw."""

import pytest

from web.client_ip import client, client_ip


@pytest.fixture
def seen(rf, settings):
    def seen(peer, forwarded=None, trusted=()):
        settings.TRUSTED_PROXIES = list(trusted)
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        return client_ip(rf.get("/", headers=headers, REMOTE_ADDR=peer))

    return seen


PROXIES = ["10.0.0.0/8", "2001:db8::1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "ip"),
    [
        # No proxy is trusted: the peer.
        ("203.0.113.7", None, [], "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", [], "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", [], "127.0.0.1"),
        ("2001:DB8::0:1", None, [], "2001:db8::1"),
        # A socket for both kinds names IPv4 peers in IPv6.
        ("::ffff:203.0.113.7", None, [], "203.0.113.7"),
        ("::ffff:10.0.0.1", "198.51.100.1", PROXIES, "198.51.100.1"),
        # The peer is not the proxy.
        ("203.0.113.7", "10.0.0.1", PROXIES, "203.0.113.7"),
        # One proxy; two; and one on the left that the client made up.
        ("10.0.0.1", "198.51.100.1", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.1 ,10.0.0.2", PROXIES, "198.51.100.1"),
        ("2001:db8::1", "2001:db8::99", PROXIES, "2001:db8::99"),
        # All are proxies: the outermost one.
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", PROXIES, "10.0.0.3"),
        # No valid address: the last one that is known to be right.
        ("10.0.0.1", None, PROXIES, "10.0.0.1"),
        ("10.0.0.1", "", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "<script>", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1,", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "fe80::1%eth0", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "_hidden", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:http", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711:1", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1]443", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "[]:443", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "[" * 50_000, PROXIES, "10.0.0.1"),
        # Some proxies add the port, and write IPv6 in brackets.
        ("10.0.0.1", "198.51.100.1:4711", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:443", PROXIES, "2001:db8::7"),
        ("10.0.0.1", "[2001:DB8::7]", PROXIES, "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", PROXIES, "2001:db8::7"),
        ("10.0.0.1", "::ffff:198.51.100.1", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "[::ffff:198.51.100.1]:80", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:1, 10.0.0.2:4711", PROXIES, "198.51.100.1"),
        # IPv4 within IPv6, on either side.
        ("::ffff:10.0.0.1", "198.51.100.1", ["10.0.0.1"], "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", ["::ffff:10.0.0.1"], "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", ["::ffff:10.0.0.0/104"], "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, " * 5000 + "198.51.100.1", PROXIES, "198.51.100.1"),
        # Through a Unix socket there is no peer address.
        ("", "198.51.100.1", ["unix"], "198.51.100.1"),
        ("", "198.51.100.1, 10.0.0.1", ["unix", *PROXIES], "198.51.100.1"),
        ("", "198.51.100.1", [], None),
        ("", "198.51.100.1", PROXIES, None),
        ("", "unix", ["unix"], None),
        ("", None, ["unix"], None),
    ],
)
def test_client_ip_is_the_last_address_that_can_not_be_forged(seen, peer, forwarded, trusted, ip):
    assert seen(peer, forwarded, trusted) == ip


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP", "Via"])
def test_no_other_address_header_is_believed(rf, settings, header):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert client_ip(rf.get("/", headers={header: "198.51.100.1"})) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "scheme", "secure"),
    [
        # Without a header, or from an untrusted peer: unknown.
        ("10.0.0.1", "198.51.100.1", None, None),
        ("203.0.113.7", "198.51.100.1", "https", None),
        ("10.0.0.1", "198.51.100.1", "https", True),
        ("10.0.0.1", "198.51.100.1", " HTTPS ", True),
        ("10.0.0.1", "198.51.100.1", "http", False),
        ("10.0.0.1", None, "https", True),
        ("::ffff:10.0.0.1", "198.51.100.1", "https", True),
        # Of two proxies that both append, the outer one reports the client.
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "https,http", True),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "http, https", False),
        # The inner one keeps the value of the outer one.
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "https", True),
        # Values of the client are on the left of the proxy's.
        ("10.0.0.1", "198.51.100.1", "https,http", False),
        ("10.0.0.1", "10.0.0.9, 198.51.100.1", "https, http", False),
        ("10.0.0.1", "198.51.100.1", "wss", False),
        ("10.0.0.1", "198.51.100.1", ",", False),
    ],
)
def test_tls_is_reported_by_the_proxy_next_to_the_client(rf, settings, peer, forwarded, scheme, secure):
    settings.TRUSTED_PROXIES = PROXIES
    given = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": scheme}
    headers = {name: value for name, value in given.items() if value is not None}
    assert client(rf.get("/", headers=headers, REMOTE_ADDR=peer).META).is_secure is secure


@pytest.mark.parametrize(
    ("peer", "forwarded", "is_named"),
    [
        ("203.0.113.7", None, True),
        ("10.0.0.1", "198.51.100.1", True),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", True),
        ("10.0.0.1", None, False),
        ("10.0.0.1", "", False),
        ("10.0.0.1", "unknown", False),
        ("10.0.0.1", "198.51.100.1, _hidden", False),
        ("10.0.0.1", "_hidden, 10.0.0.2", False),
    ],
)
def test_proxy_without_client_address_gives_an_unnamed_client(rf, settings, peer, forwarded, is_named):
    settings.TRUSTED_PROXIES = PROXIES
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert client(rf.get("/", headers=headers, REMOTE_ADDR=peer).META).is_named is is_named
