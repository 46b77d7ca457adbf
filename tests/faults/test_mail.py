"""The listener killed during messages, and a next hop that dies in DATA: a 250 is a promise."""

import os
import random
import signal
import smtplib
import socket
import threading
import time

import pytest

from tests import servers
from tests.factories import password_of
from tests.faults.figures import FACTOR
from tests.submission.clients import MESSAGE, Listener, submit, wait_until
from tests.submission.conftest import close_clients, start_listener  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

SENDERS = 3


def send_forever(listener, username, password, accepted, stopped):
    """Send numbered messages, one per session; note those that were answered with 250."""
    while not stopped.is_set():
        name = f"{threading.get_ident()}-{time.monotonic_ns()}"
        try:
            smtp = listener.login_with(username, password)
            if submit(smtp, MESSAGE.replace(b"Hello", name.encode()))[0] == 250:
                accepted.append(name)
            smtp.close()
        except (OSError, smtplib.SMTPException, AssertionError):
            time.sleep(0.05)  # it was killed, or is not up again


def test_kill_9_of_the_listener_loses_no_accepted_message(credential, tmp_path, figures):
    port, chance = servers.free_port(), random.Random(587)  # noqa: S311
    environment = {"VAR_DIR": str(tmp_path), "SUBMISSION_PORT": str(port)}
    log = tmp_path / "log"
    accepted, stopped = [], threading.Event()
    login = credential.username, password_of(credential)
    threads = []
    try:
        for _ in range(3 * FACTOR):
            with servers.running(["manage.py", "submission"], port=port, log=log, **environment) as process:
                listener = Listener(port, log, tmp_path, process)
                if not threads:
                    work = (listener, *login, accepted, stopped)
                    threads = [threading.Thread(target=send_forever, args=work) for _ in range(SENDERS)]
                    for thread in threads:
                        thread.start()
                before = len(accepted)
                wait_until(lambda before=before: len(accepted) > before + 2, 90)
                time.sleep(chance.uniform(0.05, 0.5))
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                figures.count(kills=1)
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    kept = b"".join(Listener(port, log, tmp_path).messages())
    lost = [name for name in accepted if f"Subject: {name}\r\n".encode() not in kept]
    figures.count(accepted=len(accepted), lost=len(lost))
    assert lost == [] and len(accepted) > 5 * FACTOR


class DiesInData:
    """A next hop that closes the connection after a given line; it accepts nothing."""

    def __init__(self, after: bytes):
        self._after = after
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client, client.makefile("rwb", buffering=0) as file:
                file.write(b"220 next.example\r\n")
                in_data = False
                for line in file:
                    if line.startswith(self._after):
                        break
                    if not in_data:
                        in_data = line.startswith(b"DATA")
                        file.write(b"354 go on\r\n" if in_data else b"250 ok\r\n")


@pytest.mark.parametrize("after", [b"DATA", b".\r\n"])
def test_next_hop_that_dies_is_a_temporary_failure(start_listener, credential, after):  # noqa: F811
    with DiesInData(after) as hop, start_listener(SMTP_RELAY_URL=hop.url) as listener:
        smtp = listener.login(credential)
        assert submit(smtp)[0] == 451
        assert smtp.noop()[0] == 250
