"""Whose address a request counts as: the peer's, or the one that a trusted proxy saw."""

import pytest

from audit.client_ip import client_ip


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
        # Nobody is trusted: the peer, whatever it says.
        ("203.0.113.7", None, [], "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", [], "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", [], "127.0.0.1"),
        ("2001:DB8::0:1", None, [], "2001:db8::1"),
        # A socket for both kinds names IPv4 peers in IPv6.
        ("::ffff:203.0.113.7", None, [], "203.0.113.7"),
        ("::ffff:10.0.0.1", "198.51.100.1", PROXIES, "198.51.100.1"),
        # A stranger stands before us, not the proxy.
        ("203.0.113.7", "10.0.0.1", PROXIES, "203.0.113.7"),
        # One proxy; two; and one that the client made up on the left.
        ("10.0.0.1", "198.51.100.1", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", PROXIES, "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.1 ,10.0.0.2", PROXIES, "198.51.100.1"),
        ("2001:db8::1", "2001:db8::99", PROXIES, "2001:db8::99"),
        # All are proxies: the outermost one.
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", PROXIES, "10.0.0.3"),
        # No address in it: the last one that is known to be right.
        ("10.0.0.1", None, PROXIES, "10.0.0.1"),
        ("10.0.0.1", "", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "<script>", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1,", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", PROXIES, "10.0.0.1"),
        ("10.0.0.1", "fe80::1%eth0", PROXIES, "10.0.0.1"),
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
def test_the_address_is_the_one_that_nobody_could_make_up(seen, peer, forwarded, trusted, ip):
    assert seen(peer, forwarded, trusted) == ip


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP", "Via"])
def test_no_other_header_is_believed(rf, settings, header):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert client_ip(rf.get("/", headers={header: "198.51.100.1"})) == "127.0.0.1"
