"""Every row of the catalogue is tested."""

import importlib
from pathlib import Path

import pytest

from tests.input.catalogue import CATALOGUE, ELSEWHERE, TESTED
from tests.servers import ROOT

pytestmark = pytest.mark.one_database


@pytest.fixture(autouse=True, scope="module")
def all_tests_are_known():
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.input.{path.stem}")


def test_every_row_of_the_catalogue_is_tested():
    assert CATALOGUE - TESTED.keys() - ELSEWHERE.keys() == set()
    assert not TESTED.keys() & ELSEWHERE.keys()


def test_catalogue_has_at_least_150_http_inputs():
    assert len([id for id in TESTED if id[0] != "P"]) >= 150


@pytest.mark.parametrize("id", ELSEWHERE)
def test_rows_tested_elsewhere_name_existing_tests(id):
    path, name = ELSEWHERE[id]
    assert f"def {name}(" in (ROOT / path).read_text()
