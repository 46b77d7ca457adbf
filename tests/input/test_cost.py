"""Parsing any text takes at most linear time: otherwise one request could stop the site."""

import pytest

from tests.input import costs, measuring, readers, shapes

pytestmark = pytest.mark.one_database


def test_every_parsing_function_is_measured():
    known = {*costs.CASES, *readers.READ_WITHIN, *readers.OURS}
    assert set(readers.takes_apart()) - known == set()
    assert set(readers.READ_WITHIN.values()) <= set(costs.CASES)


@pytest.mark.django_db
@pytest.mark.parametrize("name", costs.CASES)
def test_case_calls_the_function_it_measures(name):
    """Exceptions count as answers, so a case must show that it reaches its function."""
    try:
        costs.CASES[name].call("a")
    except (AttributeError, LookupError, NameError, TypeError) as error:
        pytest.fail(f"{type(error).__name__}: {error}")
    except Exception as refusal:  # noqa: BLE001
        assert refusal.__class__.__name__


@pytest.mark.parametrize("name", costs.CASES)
def test_parsing_takes_at_most_linear_time(name):
    case = costs.CASES[name]
    found = {
        shape_name: complaint
        for shape_name, shape in shapes.shapes(case.heads)
        if (complaint := measuring.complaint(case.call, shape))
    }
    assert found == {}
