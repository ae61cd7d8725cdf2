"""The thread that looks after jobs which wait for a worker, while any do."""

import threading
import time
from collections.abc import Callable, Sized

__all__ = ["StallWatcher"]


class StallWatcher:
    """A thread that calls `relieve` every `seconds` while `waiting` is not empty, and rests else.

    Who makes `waiting` longer calls `wake()` afterwards.
    """

    def __init__(self, waiting: Sized, relieve: Callable[[], object], seconds: float) -> None:
        self._waiting = waiting
        self._relieve = relieve
        self._seconds = seconds
        self._is_called = threading.Event()
        self._starting = threading.Lock()  # held to read or set `_thread`
        self._thread: threading.Thread | None = None

    @property
    def rests(self) -> bool:
        """Whether it waits for `wake()`."""
        return not self._is_called.is_set()

    def wake(self) -> None:
        """Begin to watch; the first time, start the thread."""
        if not self.rests:
            return
        self._is_called.set()
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="mullet-watcher", daemon=True
                )
                self._thread.start()

    def _watch(self) -> None:
        while True:
            self._is_called.wait()
            time.sleep(self._seconds)
            self._relieve()
            if not self._waiting:
                self._is_called.clear()
                if self._waiting:  # since then
                    self._is_called.set()
