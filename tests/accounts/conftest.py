import pytest

from tests.accounts import openid_provider
from tests.accounts.openid_provider import CLIENT_ID, CLIENT_SECRET


@pytest.fixture
def provider(settings):
    with openid_provider.serving() as provider:
        settings.OIDC_ISSUER = provider.issuer
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.OIDC_NAME = "Example Login"
        yield provider
