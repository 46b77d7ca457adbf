"""`python -m tests.image.visitor ACT …`: a browser, and a site that sends, in the Debian's network.

    story URL PORT            sign in, add, show, log in and send, reset, delete; keep one SMTP user
    login PORT USER PASSWORD  the reply's code to a login
    send PORT USER PASSWORD   send until SIGTERM; print how many messages were accepted

PORT takes STARTTLS. Each prints JSON in its last line.
"""

import json
import re
import signal
import smtplib
import ssl
import sys
import time

from playwright.sync_api import expect, sync_playwright

from tests.e2e.browser import launch
from tests.image.host import OWNER, PASSWORD

DOMAIN = "example.com"
TIMEOUT = 60


def story(url, port) -> dict:
    expect.set_options(timeout=TIMEOUT * 1000)
    with sync_playwright() as playwright, launch(playwright) as chromium:
        page = chromium.new_context(ignore_https_errors=True).new_page()
        page.goto(url)
        page.get_by_label("E-mail").fill(OWNER)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(re.compile("/domains/"))
        page.goto(f"{url}/domains/{DOMAIN}/settings/smtp/")
        expect(page.locator("tr[id^=cred-]")).to_have_count(1)
        users = [Person(page, port), Person(page, port)]
        kept, gone = users
        for user in users:
            user.add()
            assert user.login() == 235
        old = gone.password
        gone.reset()
        assert gone.login(old) == 535 and gone.login() == 235 and kept.login() == 235
        gone.delete()
        assert gone.login() == 535 and kept.login() == 235
        assert send_one(port, kept.username, kept.password) == 250
        return {"username": kept.username, "password": kept.password}


class Person:
    """One SMTP user in the tab, as a person handles it."""

    def __init__(self, page, port):
        self.page, self.port = page, port

    def add(self):
        rows = self.page.locator("tr[id^=cred-]")
        before = rows.count()
        self.page.get_by_role("button", name="Add New SMTP User").click()
        expect(rows).to_have_count(before + 1)
        self.username = rows.last.get_attribute("id").removeprefix("cred-")
        self.row = self.page.locator(f"#cred-{self.username}")
        self.show()

    def show(self):
        self.row.get_by_text("Show Password").click()
        field = self.row.locator("[data-password] code")
        expect(field).to_have_text(re.compile("^sl_"))
        self.password = field.inner_text()

    def reset(self):
        self._ask("Reset")
        expect(self.page.get_by_text("SMTP password is reset.")).to_be_visible()
        expect(self.row.locator("[data-password] code")).not_to_have_text(self.password)
        self.show()

    def delete(self):
        self._ask("Delete")
        expect(self.row).to_have_count(0)

    def _ask(self, act):
        self.row.get_by_role("button", name=act).or_(self.row.get_by_role("link", name=act)).first.click()
        dialog = self.page.locator("dialog[open]")
        expect(dialog).to_be_visible()
        used = dialog.get_by_label("I understand that anything using it will stop sending.")
        if used.count():
            used.check()
        dialog.get_by_role("button", name="OK").click()
        expect(dialog).to_have_count(0)

    def login(self, password=None) -> int:
        return login(self.port, self.username, password or self.password)


def connect(port) -> smtplib.SMTP:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = smtplib.SMTP("127.0.0.1", int(port), timeout=TIMEOUT)
    client.starttls(context=context)
    return client


def login(port, username, password) -> int:
    with connect(port) as client:
        try:
            return client.login(username, password)[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def send_one(port, username, password) -> int:
    client = connect(port)
    try:
        client.login(username, password)
        client.mail(f"info@{DOMAIN}")
        client.rcpt("somebody@example.net")
        return client.data(f"From: info@{DOMAIN}\r\nSubject: Container\r\n\r\nText\r\n")[0]
    finally:
        client.close()  # without QUIT, whose answer is 421 while the server ends


def send(port, username, password) -> dict:
    """Send one message after the other until SIGTERM."""
    accepted, is_over = 0, []
    signal.signal(signal.SIGTERM, lambda *_: is_over.append(True))
    while not is_over:
        try:
            accepted += send_one(port, username, password) == 250
        except (OSError, smtplib.SMTPException):
            time.sleep(0.05)
    return {"accepted": accepted}


if __name__ == "__main__":
    act, *arguments = sys.argv[1:]
    said = {"story": story, "login": login, "send": send}[act](*arguments)
    print(json.dumps(said))
