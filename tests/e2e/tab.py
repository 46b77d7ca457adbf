"""The SMTP Credentials tab in a browser window, in the words of the help page."""

from playwright.sync_api import expect

from credentials.models import Credential
from tests.e2e.site import Connection
from tests.http import smtp_url

DOTS = "•" * 16
PASTE_FIELD = """() => {
  const field = document.createElement("textarea");
  field.before_ = document.activeElement;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.focus();
  return field;
}"""


def pasted(page) -> str:
    """What a person would paste: no script of the page may read the clipboard."""
    field = page.evaluate_handle(PASTE_FIELD)
    page.keyboard.press("Control+V")
    return field.evaluate("(field) => { field.remove(); field.before_.focus(); return field.value; }")


def told(page, text):
    """Wait until a toast says this, and dismiss it."""
    toast = page.locator(".toast", has_text=text)
    expect(toast).to_have_count(1)
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def copied(page, name, said="Copied.") -> str:
    """Press a copy button, wait until a toast says that it has copied, and return what a person would paste."""
    page.get_by_role("button", name=name, exact=True).first.click()
    told(page, said)
    return pasted(page)


class Tab:
    """A window on the tab of one domain."""

    def __init__(self, page, domain, watch):
        self.page, self.domain, self.watch = page, domain, watch
        self.dialog = page.locator("dialog")
        self.rows = page.locator("tr[id^=cred-]")

    def open(self, query=""):
        self.page.goto(smtp_url(self.domain) + query)
        return self

    def open_page(self, credential, query=""):
        """Go to the page of one SMTP user, which the other methods take for its row."""
        self.page.goto(smtp_url(credential, "page") + query)
        return self

    def row(self, credential):
        return self.page.locator(f"#cred-{credential.username}")

    def press(self, credential, name):
        """Click a button or link of a row, by its accessible name (or the beginning of it)."""
        row = self.row(credential)
        row.get_by_role("button", name=name).or_(row.get_by_role("link", name=name)).first.click()

    def password(self, credential):
        """The field that holds dots or the password."""
        return self.row(credential).locator("[data-password] code")

    def connection(self, credential) -> Connection:
        """Username, host and port as the row shows them."""
        row = self.row(credential)
        username = row.locator("[data-copy]").first.get_attribute("data-copy")
        # Host and port are in each full block, and once above light rows.
        if row.locator("dl").count():
            _username, host, port, *_ = row.locator("dd:not([data-password]) > code").all_inner_texts()
        else:
            host, port = self.page.locator(".server code").all_inner_texts()
        return Connection(username, host, int(port))

    def clipboard(self) -> str:
        return pasted(self.page)

    def copied_password(self, credential) -> str:
        """Press the copy icon and return what it put into the clipboard."""
        self.press(credential, "Copy password")
        self.told("Password copied.")
        return self.clipboard()

    def told(self, text):
        told(self.page, text)

    def add(self) -> Credential:
        """Press Add New SMTP User; return what it made."""
        before = list(self.domain.credentials.values_list("pk", flat=True))
        self.page.get_by_role("button", name="Add New SMTP User").click()
        self.told("New SMTP user is added.")
        return self.domain.credentials.exclude(pk__in=before).get()

    def tick(self):
        """Say in the dialog that the credential may be taken away although it is in use."""
        self.dialog.get_by_label("I understand that anything using it will stop sending.").check()

    def answer(self, name):
        """Press a button of the dialog and wait until it is gone."""
        self.dialog.get_by_role("button", name=name).or_(self.dialog.get_by_role("link", name=name)).click()
        expect(self.dialog).to_be_hidden()
