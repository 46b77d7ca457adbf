import pytest

from domains.verification import background
from submission.livecheck import runs
from tests.locks import taken_back
from tests.routes.world import make_world
from web.workers import Workers


class Dropping(Workers):
    """Takes calls and makes none."""

    def _enqueue(self, future, *call):
        future.cancel()


@pytest.fixture(autouse=True)
def no_check_begins(monkeypatch):
    """No threads for Verify and Check: they would outlive the test and its database."""
    for module in (background, runs):
        monkeypatch.setattr(module, "_workers", Dropping("drops", threads=1))


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Made once per module: its tests change nothing in it."""
    with django_db_blocker.unblock(), taken_back():
        yield make_world()
