"""A signed-in browser in one colour scheme, which takes the pictures of docs/screenshots.py."""

from datetime import timedelta

from docs.story import DOMAIN
from tests.e2e.browser import session_cookie

SIZE = {"width": 1280, "height": 860}
HOME_PAGE = f"/domains/{DOMAIN}/"
TAB = f"{HOME_PAGE}settings/smtp/"
PAGES = {
    "overview": HOME_PAGE,
    "activity": f"{HOME_PAGE}activity/",
    "dns": f"{HOME_PAGE}settings/dns/",
    "members": f"{HOME_PAGE}settings/members/",
    "clients": f"{TAB}{{store}}/",
    "connect-django": f"{TAB}{{store}}/?tool=django",
    "two-factor": "/account/two-factor/",
}
REFUSED = "SMTP Error: 535 5.7.8 Error: authentication failed"


class Camera:
    def __init__(self, chromium, url, story, colours, folder):
        self.chromium, self.url, self.story = chromium, url, story
        self.colours, self.folder = colours, folder
        self.page = self._sign_in()

    def take_smtp_credentials(self):
        """The tab as on the help page, with one more that was just added."""
        self._open(TAB).get_by_role("button", name="Add New SMTP User").click()
        self.page.get_by_text("New SMTP user is added.").wait_for()
        # As high as the page, so that it shows the tab as well as the new row.
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size(SIZE | {"height": height})
        self._take("smtp-credentials")
        self.page.set_viewport_size(SIZE)
        self.story.forget_new_ones()

    def take_pages(self, *names):
        for name in names:
            self._open(PAGES[name].format(store=self.story.store.username))
            self._take(name, full_page=True)

    def take_reset(self):
        self._press("WooCommerce store", "Reset")
        self.page.get_by_label("in 7 days").check()
        self._take("reset")

    def take_refused_logins(self):
        self._open_page("Newsletter").locator("#use").scroll_into_view_if_needed()
        self.page.get_by_role("heading", name="Refused logins").scroll_into_view_if_needed()
        self._take("refused")

    def take_explanation(self):
        self._open_page("Newsletter").get_by_label("Or paste an error").fill(REFUSED)
        self.page.get_by_role("button", name="Explain").click()
        self.page.locator(".explanation").wait_for()
        self._take("explain")

    def take_confirmation(self):
        """What Show Password asks when the sign-in is old."""
        page = self._sign_in(ago=timedelta(hours=2))
        page.goto(TAB)
        page.get_by_role("button", name="Show Password").first.click()
        page.get_by_role("button", name="Confirm").wait_for()
        self._take("confirm", page)

    def take_admin(self):
        self._open("/admin/credentials/credential/")
        self._take("admin")

    def take_check(self):
        """A real login, which needs a listener."""
        self._open_page("WooCommerce store").get_by_role("link", name="Check this credential").click()
        self.page.get_by_role("button", name="Check", exact=True).click()
        self.page.get_by_text("This credential works").wait_for()
        self._take("check")

    def _sign_in(self, **when):
        context = self.chromium.new_context(base_url=self.url, viewport=SIZE, color_scheme=self.colours)
        context.add_cookies([session_cookie(self.story.olivia, self.url, **when)])
        return context.new_page()

    def _press(self, label, link):
        """Open a dialog from the row with this label."""
        row = self._open(TAB).get_by_role("row").filter(has_text=label)
        row.get_by_role("link", name=link).first.click()
        self.page.locator("dialog h2").wait_for()

    def _open_page(self, label):
        """Go to the page of the SMTP user with this label."""
        credential = self.story.domain.credentials.get(label=label)
        return self._open(credential.get_absolute_url())

    def _open(self, path):
        self.page.goto(path)
        return self.page

    def _take(self, name, page=None, **options):
        page = page or self.page
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        path = self.folder / f"{name}-{self.colours}.png"
        page.screenshot(path=path, animations="disabled", **options)
