"""Taking away what is in use needs a ticked box."""

import pytest
from playwright.sync_api import expect

from tests.factories import password_of
from tests.http import smtp_url
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

TICK = "I understand that anything using it will stop sending."


def is_noted(credential):
    credential.refresh_from_db()
    return credential.last_used_at


@pytest.fixture
def used(tab, credential):
    """A site has just logged in with it."""
    assert tab.connection(credential).refusal(password_of(credential)) is None
    wait_until(lambda: is_noted(credential))
    return credential


class TestInUse:
    @pytest.mark.parametrize(
        ("link", "done"), [("Delete", "SMTP user is deleted."), ("Reset", "SMTP password is reset.")]
    )
    def test_ok_needs_the_tick_while_in_use(self, tab, used, domain, link, done):
        tab.watch.expect(422)
        before = password_of(used)
        tab.press(used, link)
        expect(tab.dialog).to_contain_text("In use: last used just now from 127.0.0.1.")
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        tab.dialog.get_by_role("button", name="OK").click()
        box = tab.dialog.get_by_label(TICK)
        expect(box).to_be_focused()
        expect(box).to_have_accessible_description(
            "Nothing was changed yet. Tick this box first, or press Cancel."
        )
        assert password_of(used) == before
        tab.page.keyboard.press("Space")
        tab.answer("OK")
        tab.told(done)
        assert not domain.credentials.filter(pk=used.pk, password_sealed=used.password_sealed).exists()

    @pytest.mark.parametrize("link", ["Delete", "Reset"])
    def test_a_login_while_the_popup_is_open_counts(self, tab, credential, link):
        tab.watch.expect(422)
        password, connection = password_of(credential), tab.connection(credential)
        tab.press(credential, link)
        expect(tab.dialog).to_contain_text("It has never been used.")
        expect(tab.dialog.get_by_role("checkbox")).to_have_count(0)
        assert connection.refusal(password) is None
        wait_until(lambda: is_noted(credential))
        tab.dialog.get_by_role("button", name="OK").click()
        expect(tab.dialog).to_contain_text("In use: last used just now from 127.0.0.1.")
        tab.answer("Cancel")
        assert connection.refusal(password) is None

    def test_without_javascript_too(self, open_tab, alice, used):
        tab = open_tab(alice, java_script_enabled=False)
        tab.watch.expect(422)
        tab.press(used, "Delete")
        expect(tab.page.get_by_text("In use:")).to_be_visible()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("Nothing was changed yet")).to_be_visible()
        expect(tab.page).to_have_url(smtp_url(used, "delete"))
        tab.page.get_by_label(TICK).check()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("SMTP user is deleted.")).to_be_visible()
        expect(tab.rows).to_have_count(0)
