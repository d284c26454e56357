"""Follows `frames.status` in a thread of its own, for a process that shows how things stand for as long as it runs."""

import threading
import time
from collections.abc import Callable

from consumers.reported import RECENT_S, Reported
from consumers.status_board import CameraRow, StatusBoard

_WAIT_S = 0.25


class Statuses:
    """What every role last said of itself. Any thread may ask; one thread reads.

    now_ns: the clock, ns since 1970.
    """

    def __init__(self, board: StatusBoard, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._board, self._now_ns = board, now_ns
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="statuses", daemon=True)
        self._rows: dict[str, CameraRow] = {}

    def start(self) -> None:
        """Begin to read; a second call changes nothing."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self._thread.start()

    def stop(self) -> None:
        """Leave the broker; a second call changes nothing."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def cameras(self) -> dict[str, CameraRow]:
        """What is known of each camera, over all producers and workers, by its id."""
        return self._rows

    def reports(self) -> list[Reported]:
        """The last report of each instance of the last ten minutes, as of now, by role and instance."""
        with self._lock:
            last = self._board.last()
        now_ns = self._now_ns()
        reports = (Reported(status, before, now_ns=now_ns) for status, before in last)
        return [each for each in reports if each.seen_s <= RECENT_S]

    def _run(self) -> None:
        while not self._stop.is_set():
            # The board waits for messages without the lock: only what it took in is put in place under it.
            messages = self._board.poll(_WAIT_S)
            if not messages:
                continue
            with self._lock:
                self._board.take(messages)
                self._board.forget(before_ns=self._now_ns() - round(RECENT_S * 1e9))
                self._rows = {row.camera: row for row in self._board.rows()}
        self._board.close()
