"""A running `manage.py milter`, for Postfix to ask."""

from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests import servers


class Milter(NamedTuple):
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"inet:127.0.0.1:{self.port}"


@contextmanager
def judging(log, port=None):
    """Run `manage.py milter` until the block ends, on any free port if none is given."""
    port = port or servers.free_port()
    with servers.running(["manage.py", "milter"], port=port, log=log, MILTER_PORT=str(port)):
        yield Milter(port, log)
