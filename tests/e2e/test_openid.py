"""Sign-in by the button below the form, with a provider on another origin."""

import pytest
from playwright.sync_api import expect

from tests.accounts import openid_provider
from tests.environment import VAR_DIR
from tests.servers import free_port, running

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def provider():
    with openid_provider.serving() as provider:
        yield provider


@pytest.fixture(scope="module")
def dashboard(provider, site):
    """The address of a web server that is configured for the provider."""
    port = free_port()
    environment = {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": openid_provider.CLIENT_ID,
        "OIDC_CLIENT_SECRET": openid_provider.CLIENT_SECRET,
        "OIDC_NAME": "Example Login",
        "PORT": str(port),
        "WEB_WORKERS": "1",
    }
    log = VAR_DIR / "e2e-openid.log"
    with running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, **environment):
        yield f"http://127.0.0.1:{port}"


class TestSignInWithAProvider:
    @pytest.mark.parametrize("javascript", [True, False])
    def test_the_button_leads_there_and_back_to_the_domains(self, window, dashboard, domain, javascript):
        page, _watch = window(java_script_enabled=javascript)
        page.goto(f"{dashboard}/domains/")
        page.get_by_role("button", name="Sign in with Example Login").click()
        expect(page.get_by_role("heading", name="Sign in to Provider")).to_be_visible()
        page.get_by_role("button", name="Allow").click()
        expect(page).to_have_url(f"{dashboard}/domains/")
        expect(page.get_by_role("link", name=domain.name).first).to_be_visible()
