"""One window size and colour scheme, which takes the pictures of docs/screenshots.py."""

from datetime import timedelta

from docs.story import CALM, DOMAIN, EMPTY, PENDING
from domains.names import normalise
from tests.e2e.browser import session_cookie

HOME_PAGE = f"/domains/{DOMAIN}/"
TAB = f"{HOME_PAGE}settings/smtp/"
PAGES = {
    "overview": HOME_PAGE,
    "overview-calm": f"/domains/{normalise(CALM)}/",
    "activity": f"{HOME_PAGE}activity/",
    "general": f"{HOME_PAGE}settings/",
    "dns": f"{HOME_PAGE}settings/dns/",
    "dns-pending": f"/domains/{PENDING}/settings/dns/",
    "members": f"{HOME_PAGE}settings/members/",
    "invite": f"{HOME_PAGE}settings/members/invite/",
    "deleted": f"{TAB}deleted/",
    "two-factor": "/account/two-factor/",
    "sessions": "/account/sessions/",
    "notifications": "/account/notifications/",
}
REFUSED = "SMTP Error: 535 5.7.8 Error: authentication failed"


class Camera:
    def __init__(self, chromium, url, story, size, colours, *, folder, taken):
        self.story, self.url = story, url
        self.folder, self.taken = folder, taken
        self.size, self.is_wide = size, size["width"] > 1000
        self.name = f"{size['width']}-{colours}"
        self.options = options = {"base_url": url, "viewport": size, "color_scheme": colours}
        self.signed_out = chromium.new_context(**options).new_page()
        context = chromium.new_context(**options)
        context.add_cookies([session_cookie(story.olivia, url)])
        self.page = context.new_page()

    def take_the_help_page(self):
        self.signed_out.goto("/login/")
        self._take("sign-in", self.signed_out)
        for name, link in (("reset", "Reset"), ("delete", "Delete SMTP user")):
            self._open(TAB).get_by_role("link", name=link).click()
            self.page.get_by_role("button", name="OK").wait_for()
            self._take(name)
        self._open(TAB).get_by_role("button", name="Add New SMTP User").click()
        self.page.get_by_text("New SMTP user is added.").wait_for()
        if self.is_wide:
            # As high as the page, so that it shows the tab as well as the new row.
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size(self.size | {"height": height})
        self._take("smtp-credentials")
        self.page.set_viewport_size(self.size)
        self.story.forget_new_ones()

    def take_the_rest(self):
        self._open(TAB)
        self._take("all-credentials", full_page=True)
        self._take_the_dialogs()
        self._take_the_choice()
        self._take_the_label()
        self._take_the_overlap()
        self.page.locator("details.domain-switcher summary").click()
        self.page.locator("#domain-entries").wait_for()
        self._take("domains")
        store = f"{TAB}{self.story.store.username}/"
        of_store = {"clients": "clients/", "connect": "connect/", "connect-django": "connect/?tool=django"}
        for name, path in (PAGES | {name: store + path for name, path in of_store.items()}).items():
            self._open(path)
            self._take(name, full_page=True)
        self._take_the_confirmation()
        self._open(TAB.replace(DOMAIN, EMPTY))
        self._take("empty")
        sidebar = self._open("/admin/credentials/credential/").locator("#toggle-nav-sidebar")
        if sidebar.is_visible():
            sidebar.click()
        self._take("admin")

    def take_the_undo(self):
        """What Delete says at the end; it is undone again."""
        self._open(TAB)
        self._row("Trade fair tickets").get_by_role("link", name="Delete").click()
        self.page.get_by_label("I understand that").check()
        self.page.get_by_role("button", name="OK").click()
        self.page.get_by_text("SMTP user is deleted.").wait_for()
        self._take("undo")
        self.page.get_by_role("button", name="Undo").click()
        self.page.get_by_text("SMTP user restored.").wait_for()

    def take_the_check(self):
        self._press("WooCommerce store", "Check this credential")
        self.page.get_by_role("button", name="Check", exact=True).click()
        self.page.get_by_text("This credential works").wait_for()
        self._take("check")

    def _take_the_dialogs(self):
        for name, label, link in (
            ("networks", "Newsletter", "Edit networks"),
            ("refused", "Newsletter", "Details of refused logins"),
            ("expiry", "Trade fair tickets", "Expiry date"),
            ("suspend", "WooCommerce store", "Suspend"),
        ):
            self._press(label, link)
            self._take(name)
        self._press("WooCommerce store", "Reset")
        self.page.get_by_label("7 days").check()
        self._take("reset-overlap")
        self._press("Newsletter", "Explain an error")
        self.page.get_by_label("Paste the line").fill(REFUSED)
        self.page.get_by_role("button", name="Explain").click()
        self.page.locator(".explanation").wait_for()
        self._take("explain")

    def _take_the_choice(self):
        self._open(TAB)
        for label in ("Newsletter", "Office printer"):
            self._row(label).get_by_role("checkbox").check()
        self._row("Newsletter").evaluate("row => row.scrollIntoView()")
        self._take("chosen")
        self.page.locator("#chosen").get_by_role("button", name="Delete").click()
        self.page.locator("dialog h2").wait_for()
        self._take("delete-chosen")

    def _take_the_label(self):
        self._open(TAB)
        row = self._row("WooCommerce store")
        row.get_by_role("link", name="Edit label").click()
        # Pasted from a web page, with a zero-width space in it.
        row.get_by_role("textbox").fill("WooCommerce\u200b shop")
        row.get_by_role("button", name="Save").click()
        self.page.locator(".label-form .error").wait_for()
        self._take("label-error")

    def _take_the_overlap(self):
        self._open(TAB)
        self._row("CRM").evaluate("row => row.scrollIntoView({ block: 'center' })")
        self._take("overlap")
        self.page.evaluate("scrollTo(0, 0)")

    def _take_the_confirmation(self):
        """What Show Password asks when the sign-in is old."""
        context = self.page.context.browser.new_context(**self.options)
        context.add_cookies([session_cookie(self.story.olivia, self.url, ago=timedelta(hours=2))])
        page = context.new_page()
        page.goto(TAB)
        page.get_by_role("button", name="Show Password").first.click()
        page.get_by_role("button", name="Confirm").wait_for()
        self._take("confirm", page)
        context.close()

    def _press(self, label, link):
        """Open the tab, and a dialog from the row of this label."""
        self._open(TAB)
        self._row(label).get_by_role("link", name=link).first.click()
        self.page.locator("dialog h2").wait_for()

    def _row(self, label):
        return self.page.get_by_role("row").filter(has_text=label)

    def _open(self, path):
        self.page.goto(path)
        return self.page

    def _take(self, name, page=None, **options):
        page = page or self.page
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        path = self.folder / f"{name}-{self.name}.png"
        page.screenshot(path=path, animations="disabled", **options)
        self.taken.add(path)
