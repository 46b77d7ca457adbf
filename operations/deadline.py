"""Asking the database for at most so long, whatever it does."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from django.db import connections


class Slots(threading.BoundedSemaphore):
    """A database that hangs keeps each thread that asks it: no more than these, for each kind of question."""


def within(seconds: float, ask: Callable, slots: Slots):
    """Return what `ask` returns, called in a thread of its own. Raises TimeoutError, what it raises."""
    deadline = time.monotonic() + seconds
    if not slots.acquire(timeout=seconds):
        raise TimeoutError
    answers = SimpleQueue()

    def work():
        try:
            answers.put((ask(), None))
        except Exception as error:
            answers.put((None, error))
        finally:
            connections.close_all()
            slots.release()

    threading.Thread(target=work, name="probe", daemon=True).start()
    try:
        answer, error = answers.get(timeout=max(0, deadline - time.monotonic()))
    except Empty:
        raise TimeoutError from None
    if error:
        raise error
    return answer
