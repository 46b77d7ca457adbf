import os
import select
import signal
import socket
import time

import django.db
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from credentials.models import Heartbeat
from credentials.models.heartbeat import BEAT_SECONDS

# Seconds and milliseconds: a server that is gone costs a beat or two, not a lease.
GIVE_UP = {"connect_timeout": 2, "tcp_user_timeout": 3000}


class Command(BaseCommand):
    help = "Write each second that the primary database lives, so that its standbys answer, until SIGTERM."
    # It unseals no password, and waits for a database that is unavailable.
    requires_system_checks = []

    def handle(self, **options):
        if connection.vendor != "postgresql":
            problem = "Only PostgreSQL has standbys. On SQLite nothing needs a heartbeat."
            raise CommandError(problem, returncode=os.EX_CONFIG)
        # One connection and no pool, which would log each of its tries.
        database = connection.settings_dict["OPTIONS"]
        database.pop("pool", None)
        database.update(GIVE_UP)
        stopped = stop_signals()
        self._log(f"Beating every {BEAT_SECONDS} s, for leases of {settings.LEASE_SECONDS} s")
        failed_since, pause = None, 0.0
        while not select.select([stopped], [], [], pause)[0]:
            started = time.monotonic()
            try:
                Heartbeat.objects.beat(settings.LEASE_SECONDS)
            except django.db.Error as error:
                connection.close()  # the next one may lead to the server that took over
                if failed_since is None:
                    failed_since = started
                    self._log(f"Can't beat, standbys soon refuse: {reason(error)}")
            else:
                if failed_since is not None:
                    self._log(f"Beating again, after {time.monotonic() - failed_since:.0f} s")
                failed_since = None
            pause = max(0.0, started + BEAT_SECONDS - time.monotonic())

    def _log(self, line):
        self.stdout.write(line)
        self.stdout.flush()


def stop_signals() -> socket.socket:
    """Return a socket that can be read once SIGTERM or SIGINT has come, so that a beat ends first."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reader


def reason(error: django.db.Error) -> str:
    """The first line of what the server or libpq says; they never quote a password."""
    return next(iter(str(error).splitlines()), type(error).__name__)
