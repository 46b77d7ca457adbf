import asyncio
import logging
import os
import ssl
import threading
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from credentials.models import Node
from submission import log
from submission.checks import check_submission_certificate
from submission.delivery.relay import BadURL
from submission.listener import allocator, serve, tls
from submission.listener.authentication import Logins
from submission.listener.handler import Handler
from submission.listener.limits import Limits
from submission.listener.session import Listener
from submission.listener.throttle import Guesses
from submission.nodes.reporter import Reporter
from web.startup import close_connections

THREAD_SECONDS = 1


class Command(BaseCommand):
    help = "Listen for SMTP submissions until SIGTERM; SIGHUP reloads the certificate."
    # The listener opens no password, so it runs without CREDENTIAL_KEYS. While the database is
    # unavailable, it replies 454.
    requires_system_checks = []

    def handle(self, **options):
        allocator.map_big_blocks()
        asyncio.run(self._serve())
        self._end_threads()

    async def _serve(self):
        host = serve.announced_name(settings.SMTP_HOST)
        context = tls.context()
        self._load_certificate(context)
        try:
            hop = serve.next_hop(settings.SMTP_RELAY_URL, settings.VAR_DIR / "outbox", host)
        except BadURL as error:
            raise CommandError(f"SMTP_RELAY_URL: {error}.", returncode=os.EX_CONFIG) from None
        logins = Logins()
        limits = _limits()
        handler = Handler(logins, hop, host, Guesses(limits.wrong_logins_per_ip))
        stopped = asyncio.Event()
        tasks = [
            asyncio.create_task(logins.write_counts(stopped)),
            asyncio.create_task(Reporter(Node.Role.LISTENER).run(stopped)),
        ]
        try:
            await self._listen(Listener(handler, host, context, limits), hop)
        finally:
            stopped.set()
            await asyncio.wait(tasks, timeout=THREAD_SECONDS)
            handler.close()

    async def _listen(self, listener, hop):
        addresses, port = settings.SUBMISSION_ADDRESS, settings.SUBMISSION_PORT
        tls_port = settings.SUBMISSION_TLS_PORT
        places = f"{', '.join(addresses)}, port {port}" if len(addresses) > 1 else f"{addresses[0]}:{port}"
        places += f" and {tls_port} (TLS)" if tls_port else ""

        def ready():
            self.stdout.write(f"Submission listens on {places}, mail goes to {hop}")
            self.stdout.flush()

        def reload():
            try:
                self._load_certificate(listener.tls)
            except CommandError as error:
                log.logger.error("Could not reload the certificate, the old one stays in use: %s", error)

        try:
            await serve.serve(listener, addresses, port, tls_port, ready=ready, reload=reload)
        except OSError as error:
            raise CommandError(f"Can't listen on {places}: {error}") from None

    def _load_certificate(self, context):
        problems = check_submission_certificate(None)
        if problems:
            raise CommandError("\n".join(map(str, problems)), returncode=os.EX_CONFIG)
        paths = settings.SUBMISSION_TLS_CERT, settings.SUBMISSION_TLS_KEY
        try:
            if not any(paths):
                paths = tls.self_signed(settings.VAR_DIR / "tls", settings.SMTP_HOST)
            tls.load(context, *paths)
        except (OSError, ssl.SSLError) as error:
            message = f"The certificate {paths[0]} can't be used: {error}"
            raise CommandError(message, returncode=os.EX_CONFIG) from None

    def _end_threads(self):
        """Close the database and exit, even if a thread still waits up to 20 s for a lock of SQLite."""
        _ = connection.settings_dict  # creates this thread's wrapper, which closes the pool
        close_connections()
        deadline = time.monotonic() + THREAD_SECONDS
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(max(0, deadline - time.monotonic()))
        if threading.active_count() > 1:
            logging.shutdown()
            self.stdout.flush()
            os._exit(0)


def _limits() -> Limits:
    return Limits(
        message_size=settings.SUBMISSION_MAX_SIZE,
        recipients=settings.SUBMISSION_MAX_RECIPIENTS,
        connections=settings.SUBMISSION_MAX_CONNECTIONS,
        connections_per_ip=settings.SUBMISSION_MAX_CONNECTIONS_PER_IP,
        wrong_logins_per_ip=settings.SUBMISSION_MAX_WRONG_LOGINS_PER_IP,
        command_seconds=settings.SUBMISSION_COMMAND_TIMEOUT,
        login_seconds=settings.SUBMISSION_LOGIN_TIMEOUT,
    )
