import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sendlayer.checks import EX_CONFIG
from submission.reports import Reports

MIN_SECRET = 32  # characters


class Command(BaseCommand):
    help = "Take Dovecot's reports of logins, for LAST USED and refusals, until SIGTERM."
    # Like the listener it never opens a password, and it waits for a database that is away.
    requires_system_checks = []

    def handle(self, **options):
        secret = settings.REPORTS_SECRET
        if len(secret) < MIN_SECRET or not secret.isascii() or not secret.isprintable():
            problem = f"REPORTS_SECRET must be at least {MIN_SECRET} characters of printable ASCII."
            raise CommandError(problem, returncode=EX_CONFIG)
        config = uvicorn.Config(
            Reports(secret),
            host=settings.REPORTS_ADDRESS,
            port=settings.REPORTS_PORT,
            http="httptools",
            loop="asyncio",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=200,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=3,
        )
        uvicorn.Server(config).run()
