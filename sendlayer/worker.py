"""gunicorn's worker of threads, in which a client that dawdles does not keep a thread for ever."""

import socket
import time
from contextlib import suppress

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from sendlayer.environment import env
from sendlayer.headers import CONTENT_SECURITY_POLICY, HEADERS


class Worker(ThreadWorker):
    """Each request, its body included, has to come in within WEB_READ_TIMEOUT seconds.

    gunicorn's own `timeout` is for the process: a thread that waits for the rest of a request waits
    until the client hangs up, and so many of those as there are threads stop the site.
    """

    def init_process(self):
        self._seconds = env.int("WEB_READ_TIMEOUT", default=15)
        self._since: dict = {}
        util.write_error = write_error  # there is no other way to choose what it answers
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


def write_error(sock, status_int, reason, mesg):
    """Answer what is no HTTP request, without repeating any of it, and with the headers of every answer."""
    body = f"{reason}\n"
    headers = {
        **HEADERS,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store, private",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    util.write_nonblock(sock, f"HTTP/1.1 {status_int} {reason}\r\n{''.join(lines)}\r\n{body}".encode("latin-1"))
