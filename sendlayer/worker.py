"""gunicorn's worker of threads, in which a client that dawdles does not keep a thread for ever."""

import socket
import time
from contextlib import suppress

from gunicorn.workers.gthread import ThreadWorker

from sendlayer.environment import env


class Worker(ThreadWorker):
    """Each request, its body included, has to come in within WEB_READ_TIMEOUT seconds.

    gunicorn's own `timeout` is for the process: a thread that waits for the rest of a request waits
    until the client hangs up, and so many of those as there are threads stop the site.
    """

    def init_process(self):
        self._seconds = env.int("WEB_READ_TIMEOUT", default=15)
        self._since: dict = {}
        super().init_process()

    def handle(self, conn):
        self._since[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._since.pop(conn, None)

    def murder_keepalived(self, force=False):
        """What the worker's loop does once a second."""
        super().murder_keepalived(force)
        for conn, since in self._since.copy().items():
            if time.monotonic() - since > self._seconds:
                # Nothing is read any more; an answer that is being sent goes on.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
