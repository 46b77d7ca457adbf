"""A running `manage.py reports`, and what mail servers need to report to it."""

import secrets
from contextlib import contextmanager
from typing import NamedTuple

from tests import servers


class Reporting(NamedTuple):
    port: int
    messages_port: int
    secret: str
    nonce: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "REPORTS_PORT": str(self.port),
            "MESSAGES_PORT": str(self.messages_port),
            "REPORTS_SECRET": self.secret,
        }


def reporting(nonce: str) -> Reporting:
    """Ports and a secret of which nobody knows yet."""
    return Reporting(servers.free_port(), servers.free_port(), secrets.token_urlsafe(32), nonce)


@contextmanager
def serving(to: Reporting, log, **environment):
    """Run `manage.py reports` until the block ends."""
    environment = to.environment | environment
    with servers.running(["manage.py", "reports"], port=to.port, log=log, **environment) as process:
        yield process
