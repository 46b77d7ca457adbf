"""Counts of bad input, printed at the end of the run."""

import os
from collections import Counter

INPUTS: dict[str, set[str]] = {"HTTP": set(), "SMTP": set()}
# INPUT_FACTOR=1 in `make test`; a larger one tries longer.
FACTOR = int(os.environ.get("INPUT_FACTOR", "1"))
COUNTS: Counter[str] = Counter()


def lines() -> list[str]:
    shown = [f"{kind}: bad inputs {len(rows)}" for kind, rows in INPUTS.items() if rows]
    return shown + [f"{name} {number}" for name, number in COUNTS.items()]
