"""While no event can be written, nothing is shown or changed, and the user is asked to try again."""

import pytest
from playwright.sync_api import expect

from tests.audit.tampering import no_event_can_be_written
from tests.e2e.tab import DOTS
from tests.factories import password_of
from web.errors import TEXT as NOT_NOW

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("name", ["Show Password", "Copy password", "Reset"])
def test_act_without_its_event_fails_visibly_and_works_afterwards(tab, credential, name):
    before = password_of(credential)
    tab.watch.expect(503)
    with no_event_can_be_written():
        tab.press(credential, name)
        if name == "Reset":
            tab.dialog.get_by_role("button", name="OK").click()
        expect(tab.page.locator(".toast", has_text=NOT_NOW)).to_be_visible()
    expect(tab.password(credential)).to_have_text(DOTS)
    assert before not in tab.page.content() and password_of(credential) == before
    if name == "Reset":
        tab.answer("OK")
        tab.told("SMTP password is reset.")
