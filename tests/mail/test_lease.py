"""Mail servers on a hot standby answer "come again" once it hasn't heard of its primary for its lease."""

import signal
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.mail.clients import Mail
from tests.mail.conftest import MAIL_PASSWORD
from tests.mail.daemons import Database, mail_server
from tests.mail.databases import open_postgresql
from tests.mail.test_outage import issue, reply_to_mail
from tests.replicas import ask, beating, primary_with_standbys
from tests.submission.clients import RECIPIENT, SENDER, auth_plain, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.postgresql]

LEASE = 3
BEAT = "INSERT INTO credentials_heartbeat VALUES (1, statement_timestamp() + %s::interval, %s) RETURNING 1"
FUNCTIONS = ["smtp_passdb_answer", "smtp_passdb_previous_answer", "smtp_sender_answer"]


@pytest.fixture(scope="module")
def pair():
    """(primary, its standby, username, password of a credential)."""
    with primary_with_standbys() as (primary, (standby,)):
        username, password = issue(primary.url)
        open_postgresql(primary.port, "postgres", MAIL_PASSWORD)
        standby.has_replayed(primary)
        yield primary, standby, username, password


def forget_heartbeats(primary, standby):
    ask(primary, "WITH gone AS (DELETE FROM credentials_heartbeat) SELECT 1")
    standby.has_replayed(primary)


def answers(server, function="smtp_passdb_answer", name="X") -> bool:
    """Whether a server answers a mail server's question, with the one row that there is for it."""
    login = {"dbname": "postgres", "user": "sendlayer_mail", "password": MAIL_PASSWORD, "host": "127.0.0.1"}
    with psycopg.connect(port=server.port, autocommit=True, **login) as connection:
        try:
            return len(connection.execute(f"SELECT {function}(%s)", [name]).fetchall()) == 1  # noqa: S608
        except psycopg.errors.CannotConnectNow as error:
            assert error.sqlstate == "57P03" and "manage.py heartbeat" in error.diag.message_hint
            return False


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("offset", "lease", "answered"),
    [
        (None, 0, False),
        ("-4 s", 300, True),
        ("-4 s", 3, False),
        ("-1 day", 300, False),
        ("0.5 s", 300, True),
        ("30 s", 300, False),  # this clock is behind the primary's, so that the lease would last longer
    ],
)
def test_standby_answers_within_the_lease_and_a_primary_always(pair, function, offset, lease, answered):
    primary, standby, *_ = pair
    forget_heartbeats(primary, standby)
    if offset:
        ask(primary, BEAT, offset, lease)
        standby.has_replayed(primary)
    assert answers(standby, function, "sl.example.com") is answered
    assert answers(primary, function, "sl.example.com")


def test_mail_servers_of_a_standby_refuse_for_now_without_a_heartbeat_and_recover(pair):
    primary, standby, username, password = pair
    forget_heartbeats(primary, standby)
    database = Database.postgresql(standby.sockets, standby.port, "postgres", MAIL_PASSWORD)
    with mail_server(database) as server, ThreadPoolExecutor(4) as pool:
        mail = Mail(server)
        with (
            beating(primary.url, LEASE_SECONDS="300") as other,
            beating(primary.url, LEASE_SECONDS=str(LEASE)) as process,
        ):
            # Two of them; one freezes, and the other goes on.
            wait_until(lambda: ask(standby, "SELECT lease_seconds FROM credentials_heartbeat") == 300)
            other.send_signal(signal.SIGSTOP)
            wait_until(lambda: ask(standby, "SELECT lease_seconds FROM credentials_heartbeat") == LEASE)
            assert mail.try_login(username, password)[0] == 235
            opened = mail.secure()
            assert auth_plain(opened, username, password)[0] == 235
            assert [reply_to_mail(opened), opened.docmd("RSET")[0]] == [250, 250]
            process.send_signal(signal.SIGSTOP)
            wait_until(lambda: not answers(standby))
            tries = [
                pool.submit(mail.try_login, username, given, timeout=60) for given in (password, "wrong") * 2
            ]
            assert opened.docmd(f"MAIL FROM:<{SENDER}>")[0] == 451
            assert [attempt.result()[0] for attempt in tries] == [454] * 4
            process.send_signal(signal.SIGCONT)
            wait_until(lambda: answers(standby))
            # At once, and without anybody's help: neither of the two keeps away from the server.
            assert mail.try_login(username, password, timeout=60)[0] == 235
            assert mail.try_login(username, "wrong", timeout=60)[0] == 535
            replies = [opened.docmd(command) for command in (f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{RECIPIENT}>")]
            assert [code for code, _text in replies] == [250, 250]
        assert ask(primary, "SELECT count(*) FROM credentials_heartbeat") == 1
