import asyncio
import gc
import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from submission import log
from submission.milter.filter import Filter

BACKLOG = 512
STOP_SECONDS = 2  # for messages that are being sent; until the next start, new ones are refused for now


class Command(BaseCommand):
    help = "Check the From and Sender of messages for Postfix, as a milter, until SIGTERM."
    # It unseals no password, and asks the database only for messages with the null sender.
    requires_system_checks = []

    def handle(self, **options):
        asyncio.run(self._serve())

    async def _serve(self):
        judge, stopped = Filter(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        loop.set_exception_handler(_log_exception)  # without its text, which may be a header
        address, port = settings.MILTER_ADDRESS, settings.MILTER_PORT
        try:
            server = await loop.create_server(judge, address, port, backlog=BACKLOG)
        except OSError as error:
            problem = f"Can't listen on {address}:{port}: {error.strerror or error}"
            raise CommandError(problem) from None
        gc.freeze()
        self.stdout.write(f"Checking senders for Postfix on {address}:{port}")
        self.stdout.flush()
        await stopped.wait()
        server.close()
        await judge.end(STOP_SECONDS)


def _log_exception(_loop, context):
    log.crash(context["message"], context.get("exception"))
