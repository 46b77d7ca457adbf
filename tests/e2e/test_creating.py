"""Help page: Creating SMTP Credentials."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class TestCreatingSMTPCredentials:
    def test_one_click_adds_an_smtp_user_and_marks_it_new(self, tab, credential):
        made = tab.add()
        expect(tab.rows).to_have_count(2)
        expect(tab.rows.last).to_contain_text(made.username)
        expect(tab.row(made).get_by_text("New", exact=True)).to_be_visible()
        expect(tab.row(made)).to_contain_text("Just now")
        expect(tab.row(credential).get_by_text("New", exact=True)).to_have_count(0)

    def test_only_the_latest_one_is_marked_new(self, tab):
        first, second = tab.add(), tab.add()
        expect(tab.rows).to_have_count(3)
        expect(tab.row(first).get_by_text("New", exact=True)).to_have_count(0)
        expect(tab.row(second).get_by_text("New", exact=True)).to_be_visible()

    @pytest.mark.parametrize("milliseconds", [0, 150], ids=["fast", "slow"])
    def test_a_double_click_adds_one(self, tab, domain, milliseconds):
        # Slow: the first click is answered before the second one comes.
        posts = []
        tab.page.on("request", lambda request: request.method == "POST" and posts.append(request))
        tab.page.get_by_role("button", name="Add New SMTP User").dblclick(delay=milliseconds)
        expect(tab.rows).to_have_count(2)
        assert len(posts) == 1
        assert domain.credentials.count() == 2

    def test_a_site_logs_in_with_the_new_credentials(self, tab):
        made = tab.add()
        kept = tab.connection(made).send(tab.copied_password(made), subject="From a new site")
        assert b"From: info@sl.example.com" in kept
