"""After signing out, the browser shows nothing of the session, whatever button is pressed."""

import pytest
from playwright.sync_api import expect

from tests.factories import password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class TestSigningOut:
    @pytest.fixture
    def signed_out(self, open_tab, alice, credential):
        """A window in which a password was shown, and whose person signed out."""
        tab = open_tab(alice, name="for signing out")
        page = tab.page
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))
        page.evaluate("localStorage.setItem('kept', 'x'); sessionStorage.setItem('kept', 'x')")
        page.goto("/logout/")
        with page.expect_response(lambda response: response.request.method == "POST") as answer:
            page.get_by_role("button", name="Sign out").click()
        assert answer.value.all_headers()["clear-site-data"] == '"cache", "storage"'
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        return page

    def test_back_and_reload_lead_to_the_sign_in(self, signed_out, credential):
        for leave in (signed_out.go_back, signed_out.go_back, signed_out.reload, signed_out.go_forward):
            leave()
            content = signed_out.content()
            assert password_of(credential) not in content and credential.username not in content
        signed_out.goto(smtp_url(credential.domain))
        expect(signed_out.get_by_role("button", name="Sign in", exact=True)).to_be_visible()

    def test_sign_out_clears_browser_storage(self, signed_out):
        stored = signed_out.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert "kept" not in stored
