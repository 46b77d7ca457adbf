"""gunicorn's worker of threads, in which a client that dawdles does not keep a thread for ever."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from fcntl import ioctl
from struct import unpack
from termios import TIOCOUTQ

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from sendlayer.environment import env
from web.headers import CONTENT_SECURITY_POLICY, HEADERS

# Read before any worker is forked: one that stops by a wrong setting would be started again for ever.
READ_TIMEOUT = env.int("WEB_READ_TIMEOUT", default=15)
WRITE_TIMEOUT = env.int("WEB_WRITE_TIMEOUT", default=30)
# Where Linux's tcp_info tells how many bytes the other end has acknowledged (tcpi_bytes_acked).
_ACKNOWLEDGED = slice(120, 128)


@dataclass(slots=True)
class Progress:
    """Of a request and its answer: when it began, how far the client has read, and since when."""

    began: float = field(default_factory=time.monotonic)
    read: tuple = ()
    since: float = 0.0

    def seconds_unread(self, sock, now: float) -> float:
        """How long there is something to read for the client that it does not take. Raises OSError."""
        unread = unpack("i", ioctl(sock, TIOCOUTQ, bytes(4)))[0]
        read = (unread, _acknowledged(sock))
        if not unread or read != self.read:
            self.read, self.since = read, now
        return now - self.since


class Worker(ThreadWorker):
    """Each request, its body included, has to come in within WEB_READ_TIMEOUT seconds.

    Its answer has to be read: when the client takes none of it for WEB_WRITE_TIMEOUT seconds, it ends.
    gunicorn's own `timeout` is for the process: a thread that waits for a client waits until that
    hangs up, and so many of those as there are threads stop the site.
    """

    def init_process(self):
        self._to_read = READ_TIMEOUT
        self._to_write = WRITE_TIMEOUT
        self._progress: dict = {}
        util.write_error = write_error  # there is no other way to choose what it answers
        super().init_process()

    def handle(self, conn):
        self._progress[conn] = Progress()
        try:
            return super().handle(conn)
        finally:
            self._progress.pop(conn, None)

    def murder_keepalived(self, force=False):
        """What the worker's loop does once a second."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, progress in self._progress.copy().items():
            with suppress(OSError, ValueError):  # it is closed meanwhile
                if progress.seconds_unread(conn.sock, now) > self._to_write:
                    conn.sock.shutdown(socket.SHUT_RDWR)
                elif now - progress.began > self._to_read:
                    # Nothing is read any more; an answer that is being sent goes on.
                    conn.sock.shutdown(socket.SHUT_RD)


def _acknowledged(sock) -> bytes:
    if sock.family == socket.AF_UNIX:
        return b""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.stop)[_ACKNOWLEDGED]


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
