import asyncio
import os
import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from credentials import digests
from credentials.models import Node
from credentials.usage.tally import Tally
from submission.nodes.reporter import Reporter
from submission.reports.dovecot import Reports
from submission.reports.postfix import Messages
from submission.write_behind import keep_writing
from web.workers import Workers

MIN_SECRET_LENGTH = 32
BACKLOG = 512


class Command(BaseCommand):
    help = (
        "Receive Dovecot's reports of logins and Postfix's reports of messages, and report this machine as a "
        "mail server, until SIGTERM."
    )
    # Like the listener, it unseals no password, and waits for a database that is unavailable.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--nonce", action="store_true", help="print the auth_policy_hash_nonce for Dovecot and exit"
        )

    def handle(self, *, nonce, **options):
        if nonce:
            return digests.nonce()
        secret = settings.REPORTS_SECRET
        if len(secret) < MIN_SECRET_LENGTH or not secret.isascii() or not secret.isprintable():
            problem = f"REPORTS_SECRET must be at least {MIN_SECRET_LENGTH} characters of printable ASCII."
            raise CommandError(problem, returncode=os.EX_CONFIG)
        asyncio.run(self._serve(secret))

    async def _serve(self, secret):
        tally, stopped = Tally(), asyncio.Event()
        workers = Workers("counts", threads=1, waiting=10, keep=True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        reports, messages = Reports(secret, tally), Messages(tally)
        address = settings.REPORTS_ADDRESS
        try:
            servers = [
                await loop.create_server(factory, address, port, backlog=BACKLOG)
                for factory, port in ((reports, settings.REPORTS_PORT), (messages, settings.MESSAGES_PORT))
            ]
        except OSError as error:
            raise CommandError(f"Can't listen on {address}: {error.strerror or error}") from None
        self.stdout.write(
            f"Receiving reports on {address}:{settings.REPORTS_PORT} and {settings.MESSAGES_PORT}"
        )
        self.stdout.flush()
        reporter = asyncio.create_task(Reporter(Node.Role.POSTFIX).run(stopped))
        try:
            await keep_writing(tally, workers, stopped)
        finally:
            reporter.cancel()  # it may wait for a database
            for server in servers:
                server.close()
            for connection in [*reports.connections, *messages.connections]:
                connection.transport.close()
            workers.close()
