import pytest

from tests.domains.inviting import invite, link_in
from tests.factories import make_user
from tests.http import delivered, sign_in


@pytest.fixture
def as_bob(client, bob):
    return sign_in(client, bob)


@pytest.fixture
def second_owner(domain):
    """Olga, another owner of sl.example.com."""
    olga = make_user("olga@example.com")
    domain.memberships.create(user=olga, role="owner")
    return olga


@pytest.fixture
def link(as_alice, domain):
    """The link that new@example.org got from Alice."""
    invite(as_alice)
    return link_in(delivered()[0])
