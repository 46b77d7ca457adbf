"""`python -m docs.screenshots`: take the pictures of docs/screenshots again, on a throw-away site.

Those that README.md shows, as <page>-<light|dark>.png. pngquant makes them small where it is installed.
"""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"


def main():
    var_dir = prepare()
    # Both need Django set up.
    from docs.camera import Camera
    from docs.story import Story

    try:
        story = Story()
        with browser() as chromium:

            def cameras(url):
                return [Camera(chromium, url, story, colours, FOLDER) for colours in ("light", "dark")]

            with serving(var_dir) as url:
                light, dark = cameras(url)
                light.take_smtp_credentials()
                dark.take_smtp_credentials()
                story.go_on()
                light.take_pages("overview", "activity", "dns", "clients", "two-factor")
                dark.take_pages("members", "connect-django")
                light.take_reset()
                light.take_confirmation()
                light.take_admin()
                dark.take_refused_logins()
                dark.take_explanation()
            with listening(var_dir) as host, serving(var_dir, **host) as url:
                light, _dark = cameras(url)
                light.take_check()
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)
    if program := shutil.which("pngquant"):
        pictures = FOLDER.glob("*.png")
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


if __name__ == "__main__":
    main()
