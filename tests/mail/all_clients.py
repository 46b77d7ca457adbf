"""All client programs against both servers, for `make test-clients`; writes docs/clients.md."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clients.programs import LARGE, RELAYS, SMALL
from tests.clients.roots import Root
from tests.clients.running import examine
from tests.clients.table import Table
from tests.factories import SYSTEM
from tests.mail.test_clients import listener, site  # noqa: F401  (fixtures)
from tests.submission.conftest import start_listener  # noqa: F401  (fixture)

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

FOLDER = Path(os.environ.get("CLIENTS_DIR", "/var/tmp/sendlayer-clients"))  # noqa: S108
TOGETHER = tuple(package for program in SMALL + LARGE for package in program.packages.split())


@pytest.fixture(scope="session")
def table():
    table = Table()
    yield table
    if path := os.environ.get("CLIENTS_TABLE"):
        table.write(Path(path))


@pytest.fixture(scope="session")
def root_of():
    def root_of(program):
        packages = tuple(program.packages.split()) if program in RELAYS else TOGETHER
        root = Root(FOLDER / (program.id if program in RELAYS else "together"), packages)
        root.install()
        return root

    return root_of


@pytest.mark.parametrize("program", SMALL + LARGE + RELAYS, ids=lambda program: program.id)
@pytest.mark.parametrize("server", ["listener", "postfix"])
def test_client(table, root_of, sink, credential, program, server, site):  # noqa: F811
    root = root_of(program)
    site.home.parent.chmod(0o755)
    asked = [*root.enter, "dpkg-query", "-W", "-f", "${Version}", program.packages.split()[0]]
    environment = os.environ | {"CA": str(site.certificate)}
    version = subprocess.run(asked, check=True, capture_output=True, text=True, env=environment).stdout
    placed = replace(site, root=root.enter)
    outcome = examine(program, placed, sink.sink, lambda: credential.remove(by=SYSTEM))
    table.add(program, version, server, outcome)
    assert not outcome.sends, outcome.sends
    assert "no" not in (outcome.wrong_password, outcome.wrong_sender, outcome.deleted), outcome
    assert (outcome.body, outcome.many) == ("", "")
