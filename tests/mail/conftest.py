import os
import secrets
import smtplib
from contextlib import ExitStack

import pytest

from credentials import digests
from tests.environment import VAR_DIR
from tests.mail.clients import Mail
from tests.mail.daemons import Database, mail_server
from tests.mail.databases import open_postgresql, open_sqlite
from tests.mail.milters import judging
from tests.mail.reports import reporting, serving
from tests.submission.next_hop_server import SinkServer

MAIL_PASSWORD = secrets.token_urlsafe()

# SQLite has no roles; `make test` runs the tests on PostgreSQL as well.
collect_ignore = [] if os.environ.get("DATABASE_URL", "").startswith("postgres") else ["test_role.py"]


@pytest.fixture(scope="session")
def mail_database(django_db_setup) -> Database:
    """The test database, as mail servers are let into it by sendlayer-install."""
    from django.db import connection

    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        VAR_DIR.chmod(0o711)
        return open_sqlite(settings["NAME"])
    return open_postgresql(settings["PORT"], settings["NAME"], MAIL_PASSWORD)


@pytest.fixture(scope="session")
def sink():
    """The next hop behind Postfix."""
    with SinkServer() as server:
        yield server


@pytest.fixture(scope="session")
def reports(django_db_setup, tmp_path_factory):
    """A running `manage.py reports`."""
    to = reporting(digests.nonce())
    with serving(to, tmp_path_factory.mktemp("reports") / "log"):
        yield to


@pytest.fixture(scope="session")
def milter(django_db_setup, tmp_path_factory):
    """A running `manage.py milter`."""
    with judging(tmp_path_factory.mktemp("milter") / "log") as running:
        yield running


@pytest.fixture(scope="session")
def mail_daemons(mail_database, sink, reports, milter):
    """One Postfix and Dovecot for all tests that need no settings of their own."""
    relayhost = f"[127.0.0.1]:{sink.port}"
    with mail_server(mail_database, relayhost=relayhost, reports=reports, milters=milter.address) as server:
        yield server


@pytest.fixture
def mail(mail_daemons, sink):
    """Postfix and Dovecot on the test database. Whatever a test does, no password is logged."""
    from credentials.passwords import PATTERN

    sink.sink.forget()
    yield Mail(mail_daemons)
    assert not PATTERN.search(mail_daemons.log)


@pytest.fixture(autouse=True)
def close_clients(monkeypatch):
    """Close every smtplib client at the end of the test that opened it."""
    opened = []
    original = smtplib.SMTP.__init__

    def remember(self, *args, **kwargs):
        original(self, *args, **kwargs)
        opened.append(self)

    monkeypatch.setattr(smtplib.SMTP, "__init__", remember)
    yield
    for smtp in opened:
        smtp.close()


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack
