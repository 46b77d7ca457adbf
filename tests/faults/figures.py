"""How long the fault tests run, and the figures that they print at the end."""

import os
from dataclasses import dataclass, field

# FAULT_FACTOR=1 within `make test`; `make test-faults` sets more.
FACTOR = int(os.environ.get("FAULT_FACTOR", "1"))
PRINTED: list[str] = []


@dataclass
class Figures:
    """What one fault test counted."""

    name: str
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, **numbers):
        for name, number in numbers.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def show(self):
        PRINTED.append(f"{self.name}: " + ", ".join(f"{name} {number}" for name, number in self.counts.items()))
