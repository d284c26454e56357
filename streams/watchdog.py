"""The watchdog: finds a worker that stands still though nothing keeps it from going on, and ends it.

It looks from two threads of its own, for whatever stands still must not keep it from looking. One watches that the
event loop ticks. The other asks the broker, and only about partitions in which nothing has been committed since it last
looked. A broker or a topic that is away explains everything: then it only waits.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable

from streams.contract.errors import FramelaneError
from streams.evidence import Evidence
from streams.lanes import Partition
from streams.progress import Progress
from streams.settings import WatchSettings
from streams.stall import Sight, Stall, StallRule
from streams.thread_place import thread_place

log = logging.getLogger(__name__)

BEAT_S = 0.5
CHECK_S = 1.0
# What a frame's deadline makes longer: that many of them may follow one another before anything can be committed.
DEADLINES = 3
LAST_WORDS_S = 2.0


class Watchdog:
    """Watches one worker, from `start` until `ended` is set, which is to be when the event loop is closed.

    `run` raises what it finds. `trouble` is what it found, in plain words, "" while all is well.
    exit: ends the process when the loop does not, with an exit code.
    """

    def __init__(
        self,
        progress: Progress,
        evidence: Evidence,
        limits: WatchSettings,
        *,
        ended: threading.Event,
        exit: Callable[[int], object] = os._exit,
    ) -> None:
        self._progress, self._evidence, self._limits, self._exit = progress, evidence, limits, exit
        timeout_s = progress.frames.pipeline.settings.frame_timeout_ms / 1000
        self._rule = StallRule(max(limits.stall_s, DEADLINES * timeout_s))
        self._loop = asyncio.get_running_loop()
        self._found: asyncio.Future[Stall] = self._loop.create_future()
        self._loop_thread = threading.get_ident()
        self._beats, self._watched_s = 0, 0.0
        self._ended = ended
        self._silence = self._stall = ""

    @property
    def trouble(self) -> str:
        """Why this worker should be started again; "" when it should not."""
        return self._silence or self._stall

    async def run(self) -> None:
        """Raise FramelaneError when the worker stands still; runs until it is cancelled."""
        found = await asyncio.shield(self._found)
        raise FramelaneError(f"{found}, and the broker hands them out; it ends, to be started again")

    def start(self) -> None:
        """Begin to watch; to be called on the loop."""
        self._beat()
        threading.Thread(target=self._watch_loop, name="watchdog", daemon=True).start()
        if self._limits.stall_s > 0:
            threading.Thread(target=self._watch_commits, name="watchdog-broker", daemon=True).start()

    def _beat(self) -> None:
        self._beats += 1
        self._loop.call_later(BEAT_S, self._beat)

    def _watch_loop(self) -> None:
        heard, silent_s, looked = 0, 0.0, time.monotonic()
        while not self._ended.wait(CHECK_S):
            # Only time in which this thread ran, too: a process that was paused has not been silent.
            now = time.monotonic()
            passed_s, looked = min(now - looked, 2 * CHECK_S), now
            silent_s = silent_s + passed_s if self._beats == heard else 0.0
            heard = self._beats
            silent = silent_s >= self._limits.loop_s
            place = thread_place(self._loop_thread) if silent else ""
            self._silence = f"the event loop has not ticked for {silent_s:.0f} s, at {place}" if silent else ""
            if silent_s >= self._limits.loop_s + self._limits.end_s:
                self._end(f"{self._silence}; the process ends, to be started again")

    def _watch_commits(self) -> None:
        committed: dict[Partition, int] = {}
        # A short limit wants to be looked after often enough to be kept.
        every_s = min(self._limits.look_s, self._limits.stall_s / 6)
        looked = time.monotonic()
        while not self._ended.wait(every_s):
            # As above: no time counts in which the process was paused.
            now = time.monotonic()
            self._watched_s += min(now - looked, 2 * every_s)
            before, committed, looked = committed, self._progress.committed(), now
            found = self._look(before, committed)
            if found is None:
                continue
            self._stall = str(found)
            # The loop is closed when the worker has ended meanwhile.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell, found)
            if not self._ended.wait(self._limits.end_s):
                self._end(f"{found}, and the worker does not end by itself")
            return

    def _tell(self, found: Stall) -> None:
        if not self._found.done():
            self._found.set_result(found)

    def _look(self, before: dict[Partition, int], committed: dict[Partition, int]) -> Stall | None:
        """Ask the broker where it matters; a stall that it confirms."""
        if self._progress.undelivered_s > self._limits.look_s:
            # Outputs wait for a broker or a topic that is away.
            self._rule.clear()
            return None
        try:
            found = self._rule.seen(self._sight(before, committed), now_s=self._watched_s)
            if found is None or self._evidence.hands_out(found.partition, found.standing):
                return found
        except FramelaneError as error:
            log.debug("the watchdog learns nothing: %s", error)
        self._rule.clear()
        return None

    def _sight(self, before: dict[Partition, int], committed: dict[Partition, int]) -> Sight:
        frames = self._progress.frames
        if not self._progress.joined:
            # Who is in no group has no partitions: it stands still when frames wait and nobody at all goes on.
            asked = self._evidence.partitions(frames.pipeline.settings.input)
            return Sight(standings=self._evidence.standings(asked), in_flight=dict.fromkeys(asked, 1))
        asked = self._progress.partitions
        still = [partition for partition in asked if before.get(partition) == committed.get(partition)]
        return Sight(
            standings=self._evidence.standings(still),
            in_flight={partition: len(lane) for partition, lane in frames.lanes.items()},
            others_go_on=len(still) < len(asked),
        )

    def _end(self, message: str) -> None:
        # Whoever blocks the loop may hold the lock of the log, too.
        words = threading.Thread(target=log.critical, args=("%s", message), daemon=True)
        words.start()
        words.join(LAST_WORDS_S)
        self._exit(FramelaneError.exit_code)
