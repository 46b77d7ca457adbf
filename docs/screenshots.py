"""`python -m docs.screenshots`: take the pictures of docs/screenshots anew, on a throw-away site.

Each page as <page>-<1280|390>-<light|dark>.png. Where pngquant is installed, it makes them small.
"""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
SIZES = ({"width": 1280, "height": 860}, {"width": 390, "height": 844})
COLOURS = ("light", "dark")
NOW = datetime.now(UTC)
AUTHORIZED_AT = datetime(2022, 4, 11, 9, 12, tzinfo=UTC)
HOME, OFFICE, SHOP = "203.0.113.7", "198.51.100.24", "203.0.113.61"
DOMAIN, EMPTY, PENDING = "sl.example.com", "fresh.example.org", "news.example.org"
TAB = f"/domains/{DOMAIN}/settings/smtp/"

HOME_PAGE = f"/domains/{DOMAIN}/"
PAGES = {
    "overview": HOME_PAGE,
    "activity": f"{HOME_PAGE}activity/",
    "general": f"{HOME_PAGE}settings/",
    "dns": f"{HOME_PAGE}settings/dns/",
    "dns-pending": f"/domains/{PENDING}/settings/dns/",
    "members": f"{HOME_PAGE}settings/members/",
    "invite": f"{HOME_PAGE}settings/members/invite/",
    "two-factor": "/account/two-factor/",
    "sessions": "/account/sessions/",
    "notifications": "/account/notifications/",
}


def main():
    var_dir = prepare()
    try:
        story = Story()
        with browser() as chromium:
            with serving(var_dir) as url:
                cameras = [Camera(chromium, url, story, size, colours) for size in SIZES for colours in COLOURS]
                for camera in cameras:
                    camera.take_the_help_page()
                story.go_on()
                for camera in cameras:
                    camera.take_the_rest()
            with listening(var_dir) as host, serving(var_dir, **host) as url:
                for size in SIZES:
                    for colours in COLOURS:
                        Camera(chromium, url, story, size, colours).take_the_check()
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)
    if program := shutil.which("pngquant"):
        pictures = sorted(map(str, FOLDER.glob("*.png")))
        subprocess.run([program, "--force", "--ext", ".png", "--strip", "--", *pictures], check=True)  # noqa: S603


def prepare() -> Path:
    """Set Django up on an empty database, here and for child processes; return the new VAR_DIR."""
    var_dir = Path(tempfile.mkdtemp(prefix="sendlayer-screenshots-"))
    os.environ.update(
        DJANGO_SETTINGS_MODULE="sendlayer.settings",
        DJANGO_ALLOW_ASYNC_UNSAFE="1",  # Playwright's loop runs in this thread
        DATABASE_URL=f"sqlite:///{var_dir / 'db.sqlite3'}",
        VAR_DIR=str(var_dir),
        SECRET_KEY=secrets.token_urlsafe(50),
        CREDENTIAL_KEYS="k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        HTTPS_ONLY="no",
        ACCESS_LOG="/dev/null",
        LOG_LEVEL="WARNING",
        SMTP_HOST="smtp.sendlayer.net",
        SMTP_PORT="587",
        EMAIL_URL="dummymail://",
        ALLOW_TEST_DOMAINS="yes",
        SPF_INCLUDE="spf.sendlayer.net",
        DKIM_CNAME="sl1:sl1.dkim.sendlayer.net",
    )
    for command in (["migrate", "-v0"], ["collectstatic", "--no-input", "-v0"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)  # noqa: S603
    import django

    django.setup()
    return var_dir


def at(moment):
    """Within this block it is another time."""
    return patch("django.utils.timezone.now", return_value=moment)


def ago(**time):
    return NOW - timedelta(**time)


class Story:
    """Olivia's account, made by the verbs that the product uses, each at its time."""

    def __init__(self):
        from accounts.models import User
        from audit.actor import Actor
        from tests.factories import make_use

        self.olivia = User.objects.create_superuser(
            "owner@example.com", secrets.token_hex(), name="Olivia Wood"
        )
        self.ben = User.objects.create_user("ben@example.com", secrets.token_hex(), name="Ben Ito")
        self.at_home = Actor(self.olivia.email, self.olivia, HOME)
        self.at_office = Actor(self.olivia.email, self.olivia, OFFICE)
        self.ben_at_office = Actor(self.ben.email, self.ben, OFFICE)
        self.support = Actor("sam@support.example", None, "203.0.113.250")
        with patch("credentials.models.new_username", return_value="3F863120B07675B422C1AF7A7233058B"):
            self.domain = self._add_domain(DOMAIN, AUTHORIZED_AT)
        with at(ago(days=700)):
            self.domain.memberships.create(user=self.ben, role="manager")
        self.store = self.domain.credentials.get()
        with at(AUTHORIZED_AT + timedelta(minutes=6)):
            self.store.rename("WooCommerce store", by=self.at_home)
        make_use(self.store, HOME, at=ago(seconds=150))
        self._add_other_domains()

    def go_on(self):
        """What happened since: more than the help page's pictures show."""
        from tests.factories import make_use

        issue = self.domain.credentials.issue
        with at(ago(days=640, minutes=314)):
            letter, _ = issue(by=self.at_office, label="Newsletter")
        with at(ago(days=300, minutes=127)):
            printer, _ = issue(by=self.ben_at_office, label="Office printer")
        make_use(letter, OFFICE, at=ago(hours=3))
        make_use(printer, SHOP, at=ago(days=41))
        with at(ago(days=40, minutes=582)):
            printer.suspend(by=self.support, reason="It sends spam since a break-in")
        with at(ago(days=12, minutes=76)):
            letter.reset_password(by=self.at_office)
        with at(ago(days=8, minutes=221)):
            issue(by=self.ben_at_office)
        with at(ago(hours=26, minutes=9)):
            self.store.reveal("credential.password_copied", by=self.at_home)
        with at(ago(hours=6, minutes=2)):
            letter.set_networks("198.51.100.0/24, 2001:db8:4::/48, 203.0.113.61", by=self.at_office)
        with at(ago(hours=5, minutes=17)):
            letter.reveal("credential.password_shown", by=self.ben_at_office)
        self._refuse(letter)
        self.look_into_the_dns()
        self.invite()

    def look_into_the_dns(self):
        """The checks of two domains: one has most of its records, the other has none yet."""
        from domains import authorization
        from domains.models import Domain

        token = self.domain.verification_token
        zone = {
            (f"_sendlayer.{DOMAIN}", "TXT"): [f"sendlayer-verification={token}"],
            (DOMAIN, "TXT"): ["v=spf1 include:_spf.google.com ~all"],
            (f"sl1._domainkey.{DOMAIN}", "CNAME"): ["sl1.dkim.sendlayer.net"],
        }
        for domain in (self.domain, Domain.objects.get(name=PENDING)):
            authorization.check_now(domain, by=self.at_office, resolver=Zone(zone))

    def invite(self):
        """Members and people who are asked."""
        from domains import members

        with at(ago(days=2)):
            members.invite([self.domain], ["nina@example.net", "max@example.org"], "viewer", by=self.at_home)

    def _refuse(self, credential):
        from credentials.models import Outcome
        from credentials.usage import Tally

        seen = Tally()
        name, wrong = credential.username, Outcome.WRONG_PASSWORD
        seen.add(name, SHOP, wrong, at=ago(hours=2, minutes=4), number=37)
        seen.add(name, "192.0.2.88", Outcome.NETWORK_NOT_ALLOWED, at=ago(hours=3, minutes=40), number=2)
        seen.write()

    def forget_new_ones(self):
        """Undo the Add that was pressed for a picture."""
        for credential in self.domain.credentials.exclude(pk=self.store.pk):
            self.domain.events.filter(credential=credential.username).delete()
            credential.delete()

    def _add_other_domains(self):
        self._add_domain("bücher.example", ago(days=400))
        for credential in self._add_domain(EMPTY, ago(days=90)).credentials.all():
            with at(ago(days=80)):
                credential.remove(by=self.at_home)
        self._add_domain(PENDING, ago(days=3), authorized=False)
        old = self._add_domain("old-brand.example", ago(days=900))
        type(old).objects.filter(pk=old.pk).update(suspended_at=ago(days=20))

    def _add_domain(self, name, moment, *, authorized=True):
        from domains.models import Domain
        from domains.names import normalise

        with at(moment):
            domain = Domain.objects.add(normalise(name), by=self.at_home)
            if authorized:
                domain.authorize(by=self.at_home)
        return domain


class Zone:
    """Answers questions about the DNS from a table, (name, type) → values."""

    def __init__(self, values):
        self.values = values

    def ask(self, name, kind):
        from domains.dns import Absent, Found

        values = self.values.get((name, kind))
        return Found(tuple(values)) if values else Absent()

    def ask_each(self, name, kind):
        return [self.ask(name, kind)]


@contextmanager
def browser():
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import launch

    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@contextmanager
def serving(var_dir, **environment):
    """Run the web server until the block ends; yield its address."""
    from tests.servers import free_port, running

    port = free_port()
    command, log = ["-m", "gunicorn", "sendlayer.wsgi"], var_dir / "log"
    with running(command, port=port, log=log, PORT=str(port), **environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def listening(var_dir):
    """Run the SMTP listener until the block ends; yield its place as settings."""
    from tests.servers import free_port, running

    port = str(free_port())
    host = {"SMTP_HOST": "localhost", "SMTP_PORT": port}
    with running(["manage.py", "submission"], port=port, log=var_dir / "log", **host):
        yield host


class Camera:
    """One window size and colour scheme."""

    def __init__(self, chromium, url, story, size, colours):
        from tests.e2e.browser import session_cookie

        self.story, self.url = story, url
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
        self._take("smtp-credentials")
        self.story.forget_new_ones()

    def take_the_rest(self):
        self._open(TAB)
        self._take("all-credentials", full_page=True)
        row = self.page.get_by_role("row").filter(has_text="Newsletter")
        for name, link in (("networks", "Edit networks"), ("refused", "Details of refused logins")):
            row.get_by_role("link", name=link).click()
            self.page.locator("dialog h2").wait_for()
            self._take(name)
            self.page.keyboard.press("Escape")
        self.page.locator("details.domain-switcher summary").click()
        self.page.locator("#domain-entries").wait_for()
        self._take("domains")
        for name, path in PAGES.items():
            self._open(path)
            self._take(name, full_page=True)
        self._take_the_confirmation()
        self._open(TAB.replace(DOMAIN, EMPTY))
        self._take("empty")
        sidebar = self._open("/admin/credentials/credential/").locator("#toggle-nav-sidebar")
        if sidebar.is_visible():
            sidebar.click()
        self._take("admin")

    def _take_the_confirmation(self):
        """What Show Password asks when the sign-in is old."""
        from tests.e2e.browser import session_cookie

        context = self.page.context.browser.new_context(**self.options)
        context.add_cookies([session_cookie(self.story.olivia, self.url, ago=timedelta(hours=2))])
        page = context.new_page()
        page.goto(TAB)
        page.get_by_role("button", name="Show Password").first.click()
        page.get_by_role("button", name="Confirm").wait_for()
        self._take("confirm", page)
        context.close()

    def take_the_check(self):
        row = self._open(TAB).get_by_role("row").filter(has_text="WooCommerce store")
        row.get_by_role("link", name="Check this credential: SMTP user").click()
        self.page.get_by_role("button", name="Check", exact=True).click()
        self.page.get_by_text("This credential works").wait_for()
        self._take("check")

    def _open(self, path):
        self.page.goto(path)
        return self.page

    def _take(self, name, page=None, **options):
        page = page or self.page
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        page.screenshot(path=FOLDER / f"{name}-{self.name}.png", animations="disabled", **options)


if __name__ == "__main__":
    main()
