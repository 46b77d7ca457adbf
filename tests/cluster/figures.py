"""What was measured, as a table, and whether what is promised held."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Rows of what was measured, and what broke a promise."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    promises: int = 0

    def show(self, what: str, figure) -> None:
        self.rows.append((what, str(figure)))
        print(f"{what:<76} {figure}", flush=True)

    def promise(self, what: str, figure, held: bool) -> None:
        """Show it, and remember if it isn't as promised."""
        self.promises += 1
        self.show(what, figure if held else f"{figure}   BROKEN")
        if not held:
            self.broken.append(f"{what}: {figure}")

    def times(self, what: str, seconds: list[float]) -> None:
        self.show(f"{what}, p50 / p99 / longest", spread(seconds))


def spread(seconds: list[float]) -> str:
    """p50, p99 and the longest, in milliseconds."""
    if not seconds:
        return "–"
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99))
    return f"{p50 * 1000:.1f} / {p99 * 1000:.1f} / {ordered[-1] * 1000:.1f} ms"


def answers(logins) -> str:
    """Counts by answer: "235: 40, 454: 2"."""
    counted = Counter(login.answer for login in logins)
    return ", ".join(f"{answer}: {number}" for answer, number in counted.most_common()) or "none"
