import pytest

from tests.factories import make_user
from tests.http import sign_in


@pytest.fixture
def as_bob(client, bob):
    return sign_in(client, bob)


@pytest.fixture
def second_owner(domain):
    """Olga, who owns sl.example.com as well."""
    olga = make_user("olga@example.com")
    domain.memberships.create(user=olga, role="owner")
    return olga
