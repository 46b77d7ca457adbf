"""The geometry of the chart of logins."""

from datetime import date, timedelta

import pytest

from web.bar_chart import BOTTOM, MIN_HEIGHT, PLOT, TOP, of_logins, round_numbers, short_number

pytestmark = pytest.mark.one_database

TODAY = date(2026, 3, 2)


def chart(*logins, **more):
    """The chart of the last days' logins, the newest first."""
    counts = {TODAY - timedelta(days=ago): each for ago, each in enumerate(logins)}
    return of_logins(counts, until=TODAY, **more)


def test_chart_has_a_bar_per_day_up_to_today():
    bars = chart((3, 1)).bars
    assert (len(bars), bars[0].day, bars[-1].day) == (30, "Feb 1", "Mar 2")
    assert [(bar.accepted, bar.refused) for bar in bars[-2:]] == [(0, 0), (3, 1)]


def test_bars_share_the_width_and_stand_apart():
    starts = [(float(bar.x[:-1]), float(bar.width[:-1])) for bar in chart((1, 0)).bars]
    for (x, width), (following, _) in zip(starts, starts[1:], strict=False):
        assert x + width < following
    assert starts[0][0] > 0 and sum(starts[-1]) < 100


def test_refused_logins_are_above_accepted_ones():
    bar = chart((60, 20), (80, 0)).bars[-1]
    assert (bar.accepted_height, bar.refused_height) == (PLOT * 0.75, PLOT * 0.25)
    assert (bar.accepted_y, bar.refused_y) == (TOP + PLOT * 0.25, TOP)


@pytest.mark.parametrize("logins", [(400_000, 1), (1, 400_000)])
def test_single_login_among_many_is_visible(logins):
    bar = chart(logins).bars[-1]
    assert min(bar.accepted_height, bar.refused_height) == MIN_HEIGHT
    assert bar.refused_y >= TOP - MIN_HEIGHT


def test_a_day_without_logins_has_no_bar():
    bar = chart((1, 0)).bars[0]
    assert (bar.accepted_height, bar.refused_height) == (0, 0)


@pytest.mark.parametrize(
    ("most", "numbers"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (17, [0, 5, 10, 15, 20]),
        (40, [0, 10, 20, 30, 40]),
        (41, [0, 20, 40, 60]),
        (990, [0, 500, 1000]),
        (1_234_567, [0, 500_000, 1_000_000, 1_500_000]),
    ],
)
def test_the_axis_has_a_few_round_numbers(most, numbers):
    assert list(round_numbers(most)) == numbers


def test_the_axis_is_as_high_as_it_must_be_and_no_more_than_twice():
    for most in (*range(3000), 10**9):
        numbers = round_numbers(most)
        assert most <= numbers[-1] <= max(2 * most, 1) and 2 <= len(numbers) <= 5


def test_numbers_stand_from_the_floor_to_the_top():
    made = chart((8, 0))
    assert [(mark.text, mark.place) for mark in made.numbers][:: len(made.numbers) - 1] == [
        ("0", TOP + PLOT),
        ("8", TOP),
    ]
    assert made.height == TOP + PLOT + BOTTOM


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (9000, "9,000"), (10_000, "10k"), (1_500_000, "1.5M"), (2 * 10**9, "2000M")]
)
def test_large_numbers_are_short(number, text):
    assert short_number(number) == text


def test_every_seventh_day_is_named_and_today_the_last():
    dates = chart((1, 0)).dates
    assert [mark.text for mark in dates] == ["Feb 2", "Feb 9", "Feb 16", "Feb 23", "Mar 2"]
    assert [mark.is_last for mark in dates] == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("logins", "summary"),
    [
        ([(400, 1), (12, 2)], "412 logins accepted and 3 refused in the last 30 days"),
        ([(1, 0)], "1 login accepted and 0 refused in the last 30 days"),
        ([], "0 logins accepted and 0 refused in the last 30 days"),
        ([(0, 1200)], "0 logins accepted and 1,200 refused in the last 30 days"),
    ],
)
def test_chart_has_a_summary_in_a_sentence(logins, summary):
    assert chart(*logins).summary == summary


def test_chart_leaves_out_older_days():
    made = chart((1, 0), (2, 0), (4, 0), days=2)
    assert made.accepted == 3 and "last 2 days" in made.summary


def test_the_table_holds_the_days_that_have_any_the_newest_first():
    assert [bar.day for bar in chart((1, 0), (0, 0), (0, 2)).busy] == ["Mar 2", "Feb 28"]
