"""Turns rates into medians and ratios, and compares each ratio with the wanted one."""

from statistics import median
from typing import NamedTuple

SOCKET = "at the auth socket"
POSTFIX = "through Postfix"


class Figure(NamedTuple):
    """One measurement: `name` of bench.mail.contenders with so many rows."""

    where: str
    name: str
    rows: int

    def __str__(self):
        return f"{self.name}, {self.rows:,}"


class Wanted(NamedTuple):
    above: Figure
    below: Figure
    least: float


Rates = dict[Figure, list[float]]  # logins a second, one each round


def ratio(rates: Rates, above: Figure, below: Figure) -> float:
    """Return the median of the rounds' ratios: other load in a round affected both."""
    return median(one / other for one, other in zip(rates[above], rates[below], strict=True))


def show_rates(where, rates: Rates, floor: Figure):
    """Print the figures of one place, each with its ratio to the floor."""
    print(f"\nLogins a second {where}: median of the rounds (lowest … highest), ratio to {floor}")
    for figure, of in rates.items():
        if figure.where == where:
            spread = f"({min(of):,.0f} … {max(of):,.0f})"
            print(f"  {figure!s:<36} {median(of):8,.0f}  {spread:<20} {ratio(rates, figure, floor):6.3f}")


def show_ratios(rates: Rates, wanted: list[Wanted]):
    """Print each wanted ratio, and whether it is reached."""
    print("\nRatios: median of the rounds, at least")
    for above, below, least in wanted:
        reached = ratio(rates, above, below)
        verdict = "ok" if reached >= least else "BELOW"
        print(f"  {f'{above} / {below}, {above.where}':<80} {reached:6.3f}  {least:6.3f}  {verdict}")
