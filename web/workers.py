"""Calls in threads of their own: so many at the same time, so many that wait, and no more."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any

import django.db

ANSWER_SECONDS = 15  # above the 5 that the PostgreSQL pool waits for a connection


class Busy(Exception):
    """Every thread has a call, and as many calls wait as may."""


# What a call raises when the database gave no answer: never take that for a refusal.
UNAVAILABLE = (django.db.Error, TimeoutError, Busy)


class Workers:
    """A few threads and a bounded queue before them; `seconds` is how long a caller waits for its result.

    They are daemon threads: those of a ThreadPoolExecutor are joined at exit, so one that hangs in the
    database would keep the process from stopping. A thread ends when no call waits, unless the workers
    `keep` it: on SQLite that keeps its connection, which takes longer to open and close than a query.
    """

    def __init__(
        self, name: str, threads: int, waiting: int = 0, *, seconds: float = ANSWER_SECONDS, keep: bool = False
    ):
        self._name, self._threads, self._seconds = name, threads, seconds
        self._keep_threads = keep
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._changed = threading.Condition()
        self._calls: deque[tuple[Future, Callable]] = deque()
        self._running = self._idle = 0

    def submit(self, function: Callable, *arguments: Any) -> Future:
        """Call the function in a thread. Raises Busy."""
        with self.reserve() as submit:
            return submit(function, *arguments)

    @contextmanager
    def reserve(self) -> Iterator[Callable[..., Future]]:
        """Hold a place while a call is prepared, and give `submit` for it. Raises Busy.

        When the block fails, the place is free again.
        """
        if not self._places.acquire(blocking=False):
            raise Busy
        future: Future = Future()
        future.add_done_callback(self._release)
        try:
            yield partial(self._enqueue, future)
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable, *arguments: Any) -> Any:
        """Return what the function returns. Raises Busy, TimeoutError, what it raises."""
        future = self.submit(function, *arguments)
        try:
            return future.result(self._seconds)
        finally:
            future.cancel()  # nobody waits for it any more

    async def run(self, function: Callable, *arguments: Any) -> Any:
        """Return what the function returns. Raises Busy, TimeoutError, what it raises."""
        future = self.submit(function, *arguments)
        return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)

    def close(self) -> None:
        """Drop the calls that wait, and let kept threads end."""
        with self._changed:
            self._keep_threads = False
            for future, _call in list(self._calls):
                future.cancel()
            self._changed.notify_all()

    def _enqueue(self, future: Future, function: Callable, *arguments: Any) -> Future:
        with self._changed:
            self._calls.append((future, partial(function, *arguments)))
            if self._idle < len(self._calls) and self._running < self._threads:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
                self._running += 1
            self._changed.notify()
        return future

    def _release(self, future: Future) -> None:
        if future.cancelled():
            with self._changed:  # behind threads that hang, such calls must not pile up
                self._calls = deque(waiting for waiting in self._calls if waiting[0] is not future)
        self._places.release()

    def _work(self) -> None:
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        """Wait for a call and make it; return whether there was one."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._calls or not self._keep_threads)
            self._idle -= 1
            if not self._calls:
                self._running -= 1
                return False
            future, call = self._calls.popleft()
        if future.set_running_or_notify_cancel():
            try:
                result = self._with_sound_connection(call)
            except BaseException as error:  # it belongs to whom the result does
                future.set_exception(error)
                del future  # the error's traceback holds this frame
            else:
                future.set_result(result)
        return True

    def _with_sound_connection(self, call: Callable) -> Any:
        django.db.close_old_connections()
        try:
            return call()
        finally:
            if self._keep_threads:
                django.db.close_old_connections()
            else:
                django.db.connections.close_all()
