"""The servers to compare: Postfix and Dovecot on each kind of store, all running at the same time."""

from contextlib import ExitStack
from typing import NamedTuple

from bench import site
from bench.mail import logins, messages, stores
from tests.mail.daemons import Database, MailServer, mail_server
from tests.mail.milters import judging
from tests.mail.reports import reporting, serving
from tests.replicas import beating, primary_with_standbys
from tests.with_postgres import FAST, cluster

FLOOR = "passwd-file"
POSTGRESQL = "PostgreSQL"
SQLITE = "SQLite"
CRYPT = "PostgreSQL, SHA512-CRYPT"
REPORTED = "PostgreSQL, report on"
LEASED = "standby with a lease"
UNLEASED = "standby without one"


class Contender(NamedTuple):
    """`responses` are what its clients log in with."""

    server: MailServer
    responses: list[bytes]


class Contenders:
    """Starts contenders in an ExitStack that stops them; `ready` are the running ones by (name, rows)."""

    def __init__(self, stack, number_of_logins):
        self._stack = stack
        self._folder = site.set_environment()
        stack.enter_context(site.cleaned_up(self._folder))
        # The mail servers' users have to reach the files in it.
        self._folder.chmod(0o711)
        self._cluster = stack.enter_context(cluster())
        self._postgresql = stores.PostgreSQL(self._cluster.url)
        self._sqlite = stores.SQLite(self._folder)
        self._accounts = logins.make(number_of_logins)
        self.ready: dict[tuple[str, int], Contender] = {}

    def add(self, rows):
        """Fill every store with this many credentials and start the servers on them."""
        fast = self._postgresql.make(f"fast_{rows}", self._tables(rows, logins.SSHA512))
        slow = self._postgresql.make(f"slow_{rows}", self._tables(rows, logins.CRYPT))
        file = self._sqlite.make(str(rows), self._tables(rows, logins.SSHA512))
        table = logins.table(rows, self._accounts, logins.SSHA512)
        passdb = stores.passwd_file(self._folder / f"passwd-{rows}", table)
        self._start(FLOOR, rows, fast, passdb=passdb)
        self._start(POSTGRESQL, rows, fast)
        self._start(SQLITE, rows, file)
        self._start(CRYPT, rows, slow)

    def add_reported(self, rows):
        """Start `manage.py reports` and servers that report to it."""
        name = f"reported_{rows}"
        database = self._postgresql.make(name, self._tables(rows, logins.SSHA512))
        # The nonce for Dovecot's digests of passwords, which nothing compares here.
        to = reporting(nonce="0" * 64)
        url = self._postgresql.url(name)
        self._stack.enter_context(serving(to, self._folder / "reports.log", DATABASE_URL=url))
        self._start(REPORTED, rows, database, reports=to)

    def add_standby(self, rows):
        """Start servers on a hot standby with the lease and one without, and on their primary."""
        names = {LEASED: f"leased_{rows}", UNLEASED: f"unleased_{rows}"}
        for kind, name in names.items():
            table = self._tables(rows, logins.SSHA512)
            database = self._postgresql.make(name, table, leased=kind == LEASED)
            if kind == LEASED:
                self._start(POSTGRESQL, rows, database)
        self._stack.enter_context(beating(self._postgresql.url(names[LEASED])))
        _, (standby,) = self._stack.enter_context(primary_with_standbys(1, FAST, self._cluster))
        for kind, name in names.items():
            database = Database.postgresql(standby.sockets, standby.port, name, stores.MAIL_PASSWORD)
            self._start(kind, rows, database)

    def measure_messages(self, rows):
        """Print what the milter costs a message, on credentials in PostgreSQL. Raises Refused, OSError."""
        database = self._postgresql.make(f"judged_{rows}", self._tables(rows, logins.SSHA512))
        options = {"postfix": "defer_transports = smtp\n"}  # nothing leaves this machine
        with ExitStack() as stack:
            milter = stack.enter_context(judging(self._folder / "milter.log"))
            without = stack.enter_context(mail_server(database, **options))
            judged = stack.enter_context(mail_server(database, milters=milter.address, **options))
            ports, response = [without.port, judged.port], self._accounts[0].response
            sender = "info@site1.example.com"  # of the first account, see stores.tables
            messages.show(messages.at_socket(milter.port), *messages.through_postfix(ports, response, sender))

    def used(self, rows) -> int:
        """Return how many credentials were reported as used."""
        return self._postgresql.used(f"reported_{rows}")

    def _tables(self, rows, scheme):
        return stores.tables(logins.table(rows, self._accounts, scheme), rows)

    def _start(self, name, rows, database, **options):
        server = self._stack.enter_context(mail_server(database, **options))
        self.ready[name, rows] = Contender(server, [account.response for account in self._accounts[:rows]])
