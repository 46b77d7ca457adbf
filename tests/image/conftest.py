"""One Debian with the images for all tests of this folder. Each fixture prints its times."""

import pytest

from tests.image import host as hosts


@pytest.fixture(scope="session")
def host():
    with hosts.booted() as host:
        yield host
