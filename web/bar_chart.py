"""Bar chart of logins per day for an SVG: accepted ones, with refused ones on top.

Pure geometry. Horizontal positions are percentages, so bars fill any width while text keeps its size;
vertical ones are pixels.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from web.dates import MONTHS

DAYS = 30
TOP, PLOT, BOTTOM = 10, 140, 26  # px: half of a number, the bars, the dates
MIN_HEIGHT = 2  # px of a bar that is not 0
WIDTH = 0.72  # of a day's space
MAX_STEPS = 4
DATE_EVERY = 7  # days
_HATCHED = '"chart-refused" fill="url(#hatch)"'


class Bar(NamedTuple):
    day: str
    accepted: int
    refused: int
    x: str
    width: str
    accepted_y: float
    accepted_height: float
    refused_y: float
    refused_height: float

    @property
    def markup(self) -> str:
        """Its part of the SVG. A template would take several times as long."""
        return "".join(
            (
                f"<g><title>{self.day}: {self.accepted:,} accepted, {self.refused:,} refused</title>",
                self._rect('"chart-day"', TOP, PLOT),
                self._rect('"chart-accepted"', self.accepted_y, self.accepted_height) if self.accepted else "",
                self._rect(_HATCHED, self.refused_y, self.refused_height) if self.refused else "",
                "</g>",
            )
        )

    @property
    def row(self) -> str:
        """Its row of the table."""
        cells = f"<td>{self.accepted:,}</td><td>{self.refused:,}</td>"
        return f'<tr><th scope="row">{self.day}</th>{cells}</tr>'

    def _rect(self, kind, y, height) -> str:
        return f'<rect class={kind} x="{self.x}" y="{y}" width="{self.width}" height="{height}"/>'


class Mark(NamedTuple):
    """A label on an axis, at `place`: px on the axis of numbers, percent on that of days."""

    text: str
    place: float | str
    is_last: bool = False


class Chart(NamedTuple):
    bars: list[Bar]
    numbers: list[Mark]
    dates: list[Mark]
    accepted: int
    refused: int
    height: int = TOP + PLOT + BOTTOM
    top: int = TOP
    plot: int = PLOT

    @property
    def summary(self) -> str:
        """The chart as a sentence, for screen readers."""
        accepted = f"{self.accepted:,} {'login' if self.accepted == 1 else 'logins'} accepted"
        return f"{accepted} and {self.refused:,} refused in the last {len(self.bars)} days"

    @property
    def markup(self) -> SafeString:
        """The bars' part of the SVG: digits and month names only."""
        return mark_safe("".join(bar.markup for bar in self.bars))  # noqa: S308

    @property
    def rows(self) -> SafeString:
        """Those of the table."""
        return mark_safe("".join(bar.row for bar in self.busy))  # noqa: S308

    @property
    def busy(self) -> list[Bar]:
        """The days with logins, newest first."""
        return [bar for bar in reversed(self.bars) if bar.accepted or bar.refused]


def of_logins(counts: Mapping[date, tuple[int, int]], *, until: date, days: int = DAYS) -> Chart:
    """Return the chart of `days` days up to `until`; `counts` is day → (accepted, refused)."""
    shown = [until - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    logins = [counts.get(day, (0, 0)) for day in shown]
    marks = list(round_numbers(max(map(sum, logins))))
    share, most = 100 / days, marks[-1]
    bars, width = [], _percent(share * WIDTH)
    for place, (day, (accepted, refused)) in enumerate(zip(shown, logins, strict=True)):
        heights = _height(accepted, most), _height(refused, most)
        floor = TOP + PLOT - heights[0]
        bars.append(
            Bar(
                short_date(day),
                accepted,
                refused,
                _percent(share * (place + (1 - WIDTH) / 2)),
                width,
                round(floor, 1),
                heights[0],
                round(floor - heights[1], 1),
                heights[1],
            )
        )
    dates = [
        Mark(short_date(shown[place]), _percent(share * (place + 0.5)), place == days - 1)
        for place in range(days - 1, -1, -DATE_EVERY)
    ]
    numbers = [Mark(short_number(mark), round(TOP + PLOT * (1 - mark / most), 1)) for mark in marks]
    accepted, refused = (sum(column) for column in zip(*logins, strict=True))
    return Chart(bars, numbers, dates[::-1], accepted, refused)


def round_numbers(most: int) -> range:
    """Return a few round numbers for an axis, from 0 to at least `most`."""
    step = next(step for step in _steps() if step * MAX_STEPS >= most)
    last = max(-(-most // step), 1) * step
    return range(0, last + 1, step)


def short_number(number: int) -> str:
    """`9,000`, `12k`, `1.5M`."""
    for least, divisor, unit in ((1_000_000, 1_000_000, "M"), (10_000, 1000, "k")):
        if number >= least:
            return f"{number / divisor:g}{unit}"
    return f"{number:,}"


def short_date(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}"


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _height(number, most) -> float:
    return max(round(PLOT * number / most, 1), MIN_HEIGHT) if number else 0


def _percent(number) -> str:
    return f"{number:.2f}%"
