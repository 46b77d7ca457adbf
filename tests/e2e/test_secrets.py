"""After a whole story, no password is anywhere but in the vault."""

import base64
import subprocess

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import expect

from audit.models import Event
from tests.e2e.tab import Tab
from tests.factories import PASSWORD, password_of
from tests.http import smtp_url
from tests.secret_forms import forms_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(window, domain):
    """The tab, reached through the sign-in form."""
    page, watch = window()
    page.goto(smtp_url(domain))
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return Tab(page, domain, watch)


@pytest.fixture
def passwords(tab):
    """Every password of a story: sign in, add, show, copy, real logins, reset."""
    credential = tab.add()
    old = tab.copied_password(credential)
    tab.press(credential, "Show Password")
    expect(tab.password(credential)).to_have_text(old)
    tab.connection(credential).send(old, subject="With the first password")
    # The listener writes once a second.
    wait_until(lambda: type(credential).objects.filter(pk=credential.pk, last_used_at__isnull=False))
    tab.press(credential, "Reset")
    tab.tick()  # it was used a moment ago
    tab.answer("OK")
    tab.told("SMTP password is reset.")
    assert tab.connection(credential).refusal(old) == 535
    new = tab.copied_password(credential)
    tab.connection(credential).send(new, subject="With the second password")
    assert new == password_of(credential) != old
    return {"the first": old, "the second": new, "the person's own": PASSWORD}


def database() -> bytes:
    """SQLite's files as they lie on the disk; of another database the rows of all tables."""
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        # By another process: closing the file here would drop SQLite's own locks on it.
        return subprocess.run(["cat", name, f"{name}-wal"], capture_output=True, check=True).stdout
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            rows += cursor.fetchall()
    return repr(rows).encode()


class TestSecrets:
    def test_no_password_is_stored_in_plain_text(self, tab, passwords, site):
        places = {
            "the page": tab.open().page.content().encode(),
            "the logs": site.all_logs(),
            "the database": database(),
            "the sessions": repr([each.get_decoded() for each in Session.objects.all()]).encode(),
            "the events": repr(list(Event.objects.values())).encode(),
        }
        # The username is found in each place, so a password would be.
        username = tab.domain.credentials.get().username.encode()
        assert [place for place, content in places.items() if username not in content] == ["the sessions"]
        found = [
            f"{whose} password in {place}"
            for place, content in places.items()
            for whose, password in passwords.items()
            for form in forms_of(password)
            if form in content
        ]
        assert found == []

    def test_search_for_secrets_would_find_them(self):
        password = "sl_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7"
        for before in (b"", b"user:", b"\0user\0", b"x"):
            encoded = base64.b64encode(before + password.encode() + b"tail")
            assert any(form in encoded for form in forms_of(password))
