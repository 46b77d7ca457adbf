"""An owner invites somebody, who joins as a viewer, sees no password, and is removed again."""

import pytest
from playwright.sync_api import expect

from domains.members.rate_limits import may_invite
from domains.models import Membership
from tests.e2e.site import link_in
from tests.factories import make_domain
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
URL = "/domains/sl.example.com/settings/members/"


@pytest.fixture
def members(window, alice, domain):
    """Alice's window on the Members tab."""
    page, watch = window(alice)
    watch.expect(422)
    page.goto(URL)
    return page


def choose(page, button):
    page.locator("dialog").get_by_role("button", name=button).click()


class TestMembers:
    def test_from_the_invitation_to_the_end_of_it(self, members, window, site, credential):
        members.get_by_role("link", name="Invite").click()
        expect(members.get_by_label("E-mail addresses")).to_be_focused()
        members.get_by_label("E-mail addresses").fill("nina@example.org, a@b")
        choose(members, "Invite")
        expect(members.get_by_text("“a@b” is not an e-mail address")).to_be_visible()
        members.get_by_label("E-mail addresses").fill("nina@example.org")
        choose(members, "Invite")
        expect(members.get_by_text("Invitation sent.")).to_be_visible()
        expect(members.locator("tr", has_text="nina@example.org")).to_contain_text("Viewer")
        letter = site.letter_to("nina@example.org", "alice@example.com invited you to sl.example.com")

        nina, watch = window(locale="en-GB")  # a browser of her own
        nina.goto(link_in(letter))
        nina.get_by_label("Your name").fill("Nina New")
        nina.get_by_label("Password", exact=True).fill("a-very-long-one")
        nina.get_by_label("Password (again)").fill("a-very-long-one")
        nina.get_by_role("button", name="Create account and accept").click()
        expect(nina.get_by_text("You are now a member of sl.example.com.")).to_be_visible()

        nina.goto(smtp_url(credential.domain))
        row = nina.locator(f"#cred-{credential.username}")
        expect(row).to_contain_text(credential.username)
        for name in ("Show Password", "Copy password"):
            expect(row.get_by_role("button", name=name)).to_have_count(0)
        token = nina.locator("input[name=csrfmiddlewaretoken]").first.input_value()
        answer = nina.request.post(
            smtp_url(credential, "reveal"), form={"csrfmiddlewaretoken": token}, headers={"Referer": site.url}
        )
        assert answer.status == 403

        assert site.letter_to("alice@example.com", "nina@example.org is now a member of sl.example.com")
        members.reload()
        members.get_by_role("link", name="Remove nina@example.org").click()
        choose(members, "Remove")
        expect(members.get_by_text("nina@example.org was removed.")).to_be_visible()
        watch.expect(404)
        nina.get_by_role("link", name="Activity").click()
        expect(nina.get_by_role("heading", name="Page not found")).to_be_visible()

    def test_an_invitation_to_several_domains_is_chosen_from_a_filtered_list(self, members, alice, site):
        for number in range(9):
            make_domain(f"shop-{number}.example", owner=alice)
        members.get_by_role("link", name="Invite").click()
        members.get_by_text("Also to other domains that you own").click()
        members.get_by_role("searchbox", name="Filter domains").fill("Shop-7")
        expect(members.locator("dialog").get_by_role("checkbox")).to_have_count(1)
        members.keyboard.press("Enter")
        members.get_by_role("checkbox", name="shop-7.example").check()
        members.get_by_role("searchbox", name="Filter domains").fill("")
        members.get_by_role("checkbox", name="shop-2.example").check()
        members.get_by_label("Manager").check()
        members.get_by_label("E-mail addresses").fill("max@example.org")
        choose(members, "Invite")
        expect(members.locator("dialog")).to_be_hidden()
        letter = site.letter_to("max@example.org", "alice@example.com invited you to sl.example.com and 2 more")
        assert "shop-7.example" in letter.get_body(("plain",)).get_content()

    def test_too_many_invitations_are_refused_in_the_dialog(self, window, alice, domain, rf):
        request = rf.post("/")
        request.user = alice
        assert may_invite(request, [f"u{number}@example.org" for number in range(60)])
        page, watch = window(alice)
        watch.expect(429)
        page.goto(URL)
        page.get_by_role("link", name="Invite").click()
        page.get_by_label("E-mail addresses").fill("max@example.org")
        choose(page, "Invite")
        expect(page.locator("dialog").get_by_role("alert")).to_contain_text("Try again later")
        expect(page.get_by_label("E-mail addresses")).to_have_value("max@example.org")
        expect(page.locator(".toast")).to_have_count(0)

    def test_member_removed_in_the_meantime_gets_a_whole_page_that_says_so(self, window, bob, domain):
        page, watch = window(bob)
        watch.expect(404)
        page.goto(URL)
        Membership.objects.filter(user=bob).delete()
        page.get_by_role("link", name="Leave").click()
        expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
        expect(page.locator("#toasts")).to_have_count(1)
        expect(page.locator("#dialog")).to_be_hidden()

    def test_a_question_that_is_opened_in_a_tab_of_its_own_is_answered_there(
        self, window, alice, bob, domain, credential
    ):
        page, watch = window(alice)
        watch.expect(422)
        page.goto(f"{URL}{domain.memberships.get(user=bob).public_id}/remove/")
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("bob@example.com was removed.")).to_be_visible()
        page.goto(smtp_url(credential, "delete"))
        page.get_by_role("button", name="OK").click()
        expect(page.get_by_text("SMTP user is deleted.")).to_be_visible()
        page.goto("/domains/sl.example.com/settings/delete/")
        page.get_by_role("button", name="Delete domain").click()
        expect(page.get_by_role("main").get_by_text("Type sl.example.com to delete it.")).to_be_visible()

    def test_without_javascript_everything_is_a_page(self, window, alice, bob, domain):
        make_domain("other.example", owner=alice)
        page, _ = window(alice, java_script_enabled=False)
        page.goto(URL)
        page.get_by_role("link", name="Change role of bob@example.com").click()
        page.get_by_label("Manager").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Role changed.")).to_be_visible()
        page.get_by_role("link", name="Invite").click()
        page.get_by_text("Also to other domains that you own").click()
        page.get_by_role("link", name="Show them").click()
        page.get_by_label("E-mail addresses").fill("max@example.org")
        page.get_by_role("checkbox", name="other.example").check()
        page.get_by_role("button", name="Invite").click()
        expect(page.get_by_text("Invitation sent.")).to_be_visible()
        assert Membership.objects.get(user=bob).role == "manager"


class TestGeneral:
    def test_a_domain_is_deleted_by_typing_its_name(self, window, alice, credential):
        page, watch = window(alice)
        watch.expect(422)
        page.goto("/domains/sl.example.com/")
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("link", name="Delete…").click()
        field = page.get_by_label("Type sl.example.com to confirm")
        expect(field).to_be_focused()
        field.fill("sl.example.org")
        choose(page, "Delete domain")
        expect(page.get_by_text("This isn't the domain's name.")).to_be_visible()
        expect(field).to_be_focused()
        field.fill("SL.example.com")
        choose(page, "Delete domain")
        expect(page.get_by_text("Domain deleted.")).to_be_visible()
        expect(page).to_have_url("/domains/")
