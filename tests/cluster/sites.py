"""The sites that log in at a node all the time (tests/cluster/load.py), and what came of each login."""

import json
import subprocess
import sys
import threading
from typing import NamedTuple

from tests.cluster.hosts import Host
from tests.debian.machine import ROOT


class Login(NamedTuple):
    """When it began and ended (seconds since 1970), whose, and the reply code or the exception's name."""

    began: float
    ended: float
    username: str
    answer: str

    @property
    def is_accepted(self) -> bool:
        return self.answer == "235"

    @property
    def is_come_again(self) -> bool:
        """Whether clients try again later: a 4xx, or no answer."""
        return self.answer.startswith("4") or not self.answer.isdigit()


class Sites:
    """Logins at a node; `logins` grows until `stop`."""

    def __init__(self, node: Host, clients: str, live: list[list[str]]):
        command = ["ip", "netns", "exec", clients, sys.executable, "-m", "tests.cluster.load", node.address]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, cwd=ROOT)
        self.node, self.logins = node, list[Login]()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        self.say(live=live)

    def say(self, **what) -> None:
        """`live`, `revoked` or `rate`, as load.py reads them."""
        self._process.stdin.write(json.dumps(what) + "\n")

    def since(self, moment: float) -> list[Login]:
        """Logins that began then or later and have ended."""
        return [login for login in list(self.logins) if login.began >= moment]

    def between(self, begin: float, end: float) -> list[Login]:
        """Logins that began and ended in between. Postfix asks twice, so a later end may be a later answer."""
        return [login for login in self.since(begin) if login.ended < end]

    def stop(self) -> None:
        """End it when all logins are answered."""
        if not self._process.stdin.closed:
            self._process.stdin.close()
            self._reading.join()
            self._process.wait()
            self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.logins.append(Login(*json.loads(line)))
