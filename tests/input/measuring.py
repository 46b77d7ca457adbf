"""Growth of the CPU time of parsing a text with its length, on a busy machine too."""

import time
from urllib.parse import clear_cache

SIZES = (10_000, 20_000, 40_000)
NOTHING = 0.002  # seconds at 40,000: quadratic growth takes 80 ms at 256 KB, the largest body
FLOOR = 0.02  # seconds; below it clock and cache dominate
MUCH = 4 * SIZES[-1]  # second size for functions that are fast at 40,000
AT_MOST = 1.5  # times linear
TRIES = 5


def seconds(call, text) -> float:
    """Return the CPU seconds of a call with a text in this thread. Exceptions are answers too."""
    clear_cache()  # urlsplit caches its results
    begun = time.thread_time()
    try:
        call(text)
    except Exception as error:  # noqa: BLE001  (which ones, other tests say)
        error.__traceback__ = None
    return time.thread_time() - begun


def complaint(call, shape) -> str:
    """Why `call` costs more than linear in the length of a text of this shape; "" where it does not.

    `shape` makes the text of a length. The best of several tries counts, and a try that shows
    that the call is cheap or linear ends them.
    """
    texts = {size: shape(size) for size in SIZES}
    best = dict.fromkeys((*SIZES, MUCH), float("inf"))
    for _ in range(TRIES):
        best[SIZES[-1]] = min(best[SIZES[-1]], seconds(call, texts[SIZES[-1]]))
        if best[SIZES[-1]] < NOTHING:
            return ""
        if best[SIZES[-1]] < FLOOR:
            best[MUCH] = min(best[MUCH], seconds(call, shape(MUCH)))
            if best[MUCH] < FLOOR * AT_MOST * MUCH / SIZES[-1]:
                return ""
            continue
        for size in SIZES[:-1]:
            best[size] = min(best[size], seconds(call, texts[size]))
        if all(best[SIZES[-1]] <= AT_MOST * best[size] * SIZES[-1] / size for size in SIZES[:-1]):
            return ""
    return ", ".join(f"{size:,}: {taken * 1000:.1f} ms" for size, taken in best.items())
