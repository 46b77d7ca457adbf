"""From where a credential may be used: allow_nets of the views."""

import pytest

from tests.factories import SYSTEM, password_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("networks", "allowed"),
    [
        ("", True),
        ("127.0.0.1", True),
        ("127.0.0.0/8", True),
        ("2001:db8::/32, 203.0.113.0/24, 127.0.0.1/32", True),
        ("127.0.0.2", False),
        ("203.0.113.0/24", False),
        ("::1", False),
        ("2001:db8::/32", False),
        (", ".join(f"203.0.{third}.0/24" for third in range(50)), False),
        (", ".join([*(f"2001:db8:{third:x}::/48" for third in range(49)), "127.0.0.1"]), True),
    ],
)
def test_login_from_other_networks_is_refused(mail, credential, networks, allowed):
    credential.set_networks(networks, by=SYSTEM)
    reply = mail.try_login(credential.username, password_of(credential))
    assert reply[0] == (235 if allowed else 535)


def test_network_rule_uses_the_address_of_the_client(mail, credential):
    credential.set_networks("127.0.0.2", by=SYSTEM)
    password = password_of(credential)
    assert mail.try_login(credential.username, password, source="127.0.0.2")[0] == 235
    assert mail.try_login(credential.username, password, source="127.0.0.1")[0] == 535
    assert mail.try_login(credential.username, password, source="127.0.0.3")[0] == 535


def test_refusal_by_network_is_counted_with_its_cause(mail, credential):
    credential.set_networks("203.0.113.0/24", by=SYSTEM)
    assert mail.try_login(credential.username, password_of(credential))[0] == 535
    wait_until(lambda: credential.refresh_from_db() or credential.last_refused_at)
    assert (credential.last_refused_cause, credential.last_refused_ip) == ("network_not_allowed", "127.0.0.1")
