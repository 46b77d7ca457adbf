"""What the run counts of bad input, printed below it."""

from collections import Counter

INPUTS: dict[str, set[str]] = {"HTTP": set(), "SMTP": set()}
COUNTS: Counter[str] = Counter()


def lines() -> list[str]:
    shown = [f"{kind}: bad inputs {len(rows)}" for kind, rows in INPUTS.items() if rows]
    return shown + [f"{name} {number}" for name, number in COUNTS.items()]
