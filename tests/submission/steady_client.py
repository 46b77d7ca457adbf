"""A site that logs in continuously, to detect any refusal."""

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager

EVERY_SECONDS = 0.1
MOST = 200


class Steady:
    """The results of the logins; `password` is the current one of the site and may be replaced."""

    def __init__(self, login: Callable[[str], int], password: str):
        self._login, self.password = login, password
        self.codes: list[tuple[str, int]] = []  # password and reply
        self._stopped = threading.Event()

    def codes_of(self, password) -> list[int]:
        return [code for tried, code in self.codes if tried == password]

    def refused(self) -> int:
        return sum(code != 235 for _password, code in self.codes)

    def go_on_for(self, logins: int):
        """Wait for this many more logins."""
        wanted, deadline = len(self.codes) + logins, time.monotonic() + 30
        while len(self.codes) < wanted:
            assert time.monotonic() < deadline and not self._stopped.is_set(), self.codes
            time.sleep(0.02)

    def run(self):
        while not self._stopped.wait(EVERY_SECONDS) and len(self.codes) < MOST:
            password = self.password
            self.codes.append((password, self._login(password)))

    def stop(self):
        self._stopped.set()


@contextmanager
def steady(login, password):
    """Log in every 100 ms, `login(password)` → the code of the reply, until the block ends."""
    client = Steady(login, password)
    thread = threading.Thread(target=client.run)
    thread.start()
    try:
        yield client
    finally:
        client.stop()
        thread.join()
