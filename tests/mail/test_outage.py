"""A database that can't be asked is a temporary failure, never a refusal, and comes back by itself."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from smtplib import SMTPServerDisconnected

import pytest
from django.db import connection

from tests.mail.clients import Mail
from tests.mail.conftest import MAIL_PASSWORD
from tests.mail.daemons import mail_server
from tests.mail.databases import open_postgresql, open_sqlite
from tests.servers import ROOT
from tests.submission.clients import RECIPIENT, SENDER, auth_plain, wait_until
from tests.with_postgres import cluster

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

# Postfix asks a PostgreSQL that was away again after a minute (RETRY_CONN_INTV in dict_pgsql.c).
BACK_SECONDS = 75

ISSUE = """
from tests.factories import SYSTEM, make_domain
credential, password = make_domain().credentials.issue(by=SYSTEM)
print(credential.username, password)
"""
LEAVE_WAL = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode=DELETE')"
LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def apart(mail_database, tmp_path):
    """A database of its own: (Database, username, password, a context that takes the database away)."""
    make = on_postgresql if connection.vendor == "postgresql" else on_sqlite
    with make() as made:
        yield made


@contextmanager
def on_postgresql():
    with cluster() as server:
        username, password = issue(server.url)
        database = open_postgresql(server.port, "postgres", MAIL_PASSWORD)

        @contextmanager
        def away():
            server.stop()
            try:
                yield
            finally:
                server.start()

        yield database, username, password, away


@contextmanager
def on_sqlite():
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-sqlite-"))
    path = folder / "db.sqlite3"
    try:
        username, password = issue(f"sqlite:///{path}")
        # In WAL mode nobody can lock readers out; what works without it, like a restore, does.
        subprocess.run([sys.executable, "-c", LEAVE_WAL, path], check=True)

        @contextmanager
        def away():
            lock = [sys.executable, "-c", LOCK, path]
            with subprocess.Popen(lock, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                assert process.stdout.readline() == b"locked\n"
                yield

        yield open_sqlite(path), username, password, away
    finally:
        shutil.rmtree(folder)


def issue(url):
    environment = os.environ | {"DATABASE_URL": url}
    for arguments in (["migrate", "-v0"], ["shell", "-v0", "-c", ISSUE]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    return done.stdout.split()


def test_logins_and_senders_get_temporary_failures_during_an_outage(apart):
    database, username, password, away = apart
    with mail_server(database) as server, ThreadPoolExecutor(5) as pool:
        mail = Mail(server)
        smtp = mail.secure(timeout=60)
        assert auth_plain(smtp, username, password)[0] == 235
        with away():
            tries = [
                pool.submit(mail.try_login, username, given, timeout=60) for given in (password, "wrong") * 2
            ]
            sender = pool.submit(reply_to_mail, smtp)
            assert [attempt.result()[0] for attempt in tries] == [454] * 4
        assert sender.result() in (421, 451)
        wait_until(lambda: mail.try_login(username, password, timeout=60)[0] == 235, BACK_SECONDS)
        wait_until(lambda: mail.try_login(username, "wrong", timeout=60)[0] == 535, BACK_SECONDS)
        wait_until(lambda: sends(mail, username, password), BACK_SECONDS)


def reply_to_mail(smtp) -> int:
    """The reply's code; 421 also for a session that Postfix ends, as it does when SQLite is locked."""
    try:
        return smtp.docmd(f"MAIL FROM:<{SENDER}>")[0]
    except SMTPServerDisconnected:
        return 421


def sends(mail, username, password) -> bool:
    """Whether a message gets as far as its recipient. In a new session: Postfix ends one after 10 errors."""
    time.sleep(0.5)
    smtp = mail.secure(timeout=60)
    replies = [auth_plain(smtp, username, password)]
    replies += [smtp.docmd(command) for command in (f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{RECIPIENT}>")]
    smtp.close()
    return [code for code, _text in replies] == [235, 250, 250]
