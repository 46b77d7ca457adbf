"""A connection to a mail server that ends in time, whatever the server does."""

import queue
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from enum import Enum, auto

MAX_LINE = 1000  # octets; RFC 5321 section 4.5.3.1.5 gives a reply line 512
LOOKUPS = 8  # names being looked up; a slow look-up can't be stopped, only left behind

_lookups = threading.BoundedSemaphore(LOOKUPS)


class Fault(Enum):
    """What ends a check before its end."""

    NAME_NOT_FOUND = auto()
    NAME_UNANSWERED = auto()
    REFUSED = auto()
    UNREACHABLE = auto()
    TIMEOUT = auto()
    DROPPED = auto()
    NOT_SMTP = auto()
    NO_STARTTLS = auto()
    HANDSHAKE = auto()
    CERTIFICATE = auto()
    NO_LOGIN = auto()
    ADDRESS = auto()
    REPLY = auto()


class Failed(Exception):
    """The check can't go on; `detail` is what the system says about it."""

    def __init__(self, fault: Fault, detail: str = ""):
        super().__init__(fault)
        self.fault, self.detail = fault, detail


def connect(host: str, port: int, ends_at: float) -> "Wire":
    """Connect to the first address of a name that answers, until `ends_at` (monotonic). Raises Failed."""
    addresses = _look_up(host, port, ends_at)
    failure = None
    for number, (family, kind, protocol, _name, address) in enumerate(addresses):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            failure = error
            continue
        try:
            # One address that swallows everything leaves time for the next.
            sock.settimeout(_left(ends_at) / (len(addresses) - number))
            sock.connect(address)
            return Wire(sock, ends_at)
        except (OSError, Failed) as error:
            sock.close()
            failure = error
    raise _not_connected(failure)


class Wire:
    """An open connection. Every method raises Failed, TIMEOUT from `ends_at` on."""

    def __init__(self, sock: socket.socket, ends_at: float):
        self._socket, self._ends_at = sock, ends_at
        self._buffer = bytearray()
        self._is_cut = False
        self.peer, self.own_ip = sock.getpeername()[0], sock.getsockname()[0]
        # The same connection, whatever TLS makes of the socket.
        self._twin = sock.dup()
        # A timeout counts from byte to byte; this ends also what comes in drop by drop.
        self._watchdog = threading.Timer(ends_at - time.monotonic(), self._cut)
        self._watchdog.daemon = True
        self._watchdog.start()

    def read_line(self) -> str:
        """Return a line without its end."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                break
            self._buffer += self._receive()
        if not 0 <= end <= MAX_LINE:
            raise Failed(Fault.NOT_SMTP, f"a line of more than {MAX_LINE} characters")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def send(self, data: bytes) -> None:
        with self._in_time():
            self._socket.sendall(data)

    def start_tls(self, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
        """Go on in TLS, the certificate verified for `host`; return the socket that knows about it."""
        if self._buffer:
            # Whatever stands here came before the encryption, perhaps from somebody between (CVE-2011-0411).
            raise Failed(Fault.NOT_SMTP, "replies that nobody asked for, before TLS")
        with self._in_time(Fault.HANDSHAKE):
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        return self._socket

    def close(self) -> None:
        self._watchdog.cancel()
        self._socket.close()
        self._twin.close()

    def _receive(self) -> bytes:
        with self._in_time():
            if received := self._socket.recv(4096):
                return received
            raise ConnectionResetError

    @contextmanager
    def _in_time(self, otherwise=Fault.DROPPED):
        try:
            self._socket.settimeout(_left(self._ends_at))
            yield
        except OSError as error:  # TimeoutError and ssl.SSLError are such
            raise self._failed(error, otherwise) from None

    def _failed(self, error: OSError, otherwise: Fault) -> Failed:
        if isinstance(error, TimeoutError) or self._is_cut:
            return Failed(Fault.TIMEOUT)
        if isinstance(error, ssl.SSLCertVerificationError):
            return Failed(Fault.CERTIFICATE, error.verify_message)
        return Failed(otherwise, getattr(error, "reason", None) or error.strerror or "")

    def _cut(self) -> None:
        self._is_cut = True
        with suppress(OSError):
            self._twin.shutdown(socket.SHUT_RDWR)


def _look_up(host: str, port: int, ends_at: float) -> list[tuple]:
    """Return what getaddrinfo finds. It knows no timeout, so it runs in a thread that may be left behind."""
    answers = queue.SimpleQueue()

    def ask():
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)
        finally:
            _lookups.release()

    if not _lookups.acquire(timeout=_left(ends_at)):
        raise Failed(Fault.NAME_UNANSWERED)
    threading.Thread(target=ask, name="livecheck-name", daemon=True).start()
    try:
        answer = answers.get(timeout=_left(ends_at))
    except queue.Empty:
        raise Failed(Fault.NAME_UNANSWERED) from None
    if isinstance(answer, list):
        return answer
    temporary = getattr(answer, "errno", None) == socket.EAI_AGAIN
    raise Failed(Fault.NAME_UNANSWERED if temporary else Fault.NAME_NOT_FOUND)


def _not_connected(error: OSError | Failed) -> Failed:
    if isinstance(error, Failed):
        return error
    if isinstance(error, TimeoutError):
        return Failed(Fault.TIMEOUT)
    if isinstance(error, ConnectionRefusedError):
        return Failed(Fault.REFUSED)
    return Failed(Fault.UNREACHABLE, error.strerror or "")


def _left(ends_at: float) -> float:
    """The seconds that are left. Raises Failed when there are none."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise Failed(Fault.TIMEOUT)
    return left
