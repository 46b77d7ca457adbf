import pytest

from tests import factories
from tests.http import sign_in
from tests.input import figures
from tests.input.catalogue import TESTED
from tests.input.judging import Browser
from tests.submission.conftest import close_clients, listener, start_listener  # noqa: F401  (fixtures)


@pytest.fixture(autouse=True)
def row(request):
    """Count the row of the catalogue of each test."""
    id = request.node.callspec.id if hasattr(request.node, "callspec") else ""
    if id in TESTED:
        figures.INPUTS["SMTP" if id[0] == "P" else "HTTP"].add(id)
    return id


@pytest.fixture
def visitor():
    """A signed-out visitor in a browser that judges every answer."""
    return Browser()


@pytest.fixture
def owner(credential, alice):
    """Alice, owner of sl.example.com with one credential, in such a browser."""
    return sign_in(Browser(), alice)


@pytest.fixture
def staff(credential):
    """A superuser in such a browser."""
    return sign_in(Browser(), factories.make_user("staff@example.com", is_staff=True, is_superuser=True))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    if lines := figures.lines():
        terminalreporter.section("bad input")
        terminalreporter.write_line(", ".join(lines))
