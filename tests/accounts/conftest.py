from copy import deepcopy

import pytest

from tests.accounts import openid_provider
from tests.accounts.openid_provider import CLIENT_ID, CLIENT_SECRET


@pytest.fixture
def configure_openid(settings):
    """Configure the provider as the environment would: configure_openid(issuer, secret)."""

    def configure(issuer, secret=CLIENT_SECRET):
        openid = deepcopy(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"])
        openid["APP"] |= {
            "provider_id": issuer,
            "name": "Example Login",
            "client_id": CLIENT_ID,
            "secret": secret,
            "settings": {"server_url": issuer},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": openid}
        settings.OIDC_ISSUER, settings.OIDC_NAME = issuer, "Example Login"

    return configure


@pytest.fixture
def provider(configure_openid):
    with openid_provider.serving() as provider:
        configure_openid(provider.issuer)
        yield provider
