from types import SimpleNamespace

import pytest

from domains import verifying
from submission.livecheck import runs


@pytest.fixture(autouse=True)
def no_check_begins(monkeypatch):
    """The walks press Verify and Check as well: threads of those would outlive the test and its database."""
    for module in (verifying, runs):
        thread = SimpleNamespace(start=module._slots.release)
        monkeypatch.setattr(module, "threading", SimpleNamespace(Thread=lambda thread=thread, **_: thread))
