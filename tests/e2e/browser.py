"""Chromium, as tests and screenshots start it."""

import shutil

CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each window would start a process of its own: a fifth of what Chromium computes.
    "--renderer-process-limit=1",
]


def launch(playwright):
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


def session_cookie(user, url, **when) -> dict:
    """A cookie that signs a person in, without the form; `ago` says how long ago they did."""
    # Here, since tests/image drives a browser without Django.
    from django.conf import settings
    from django.test import Client

    from tests.http import sign_in

    client = sign_in(Client(), user, **when)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}
