import pytest

from tests.faults.figures import PRINTED, Figures


@pytest.fixture
def figures(request):
    """Counts of this test, printed below the run whether it passes or not."""
    made = Figures(request.node.name.removeprefix("test_").replace("_", " "))
    yield made
    made.show()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    if PRINTED:
        terminalreporter.section("faults")
        for line in PRINTED:
            terminalreporter.write_line(line)
