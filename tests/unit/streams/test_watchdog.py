"""The watchdog without Kafka: when it asks, what explains a standstill, and how it ends a worker."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from streams.contract.errors import BrokerUnavailable, FramelaneError
from streams.lanes import Partition
from streams.settings import WatchSettings
from streams.stall import Standing
from streams.watchdog import Watchdog

ZERO = Partition("raw", 0)
LIMITS = WatchSettings(stall_s=60, loop_s=10, end_s=20, look_s=10)


class Worker:
    """What the watchdog sees of a worker: it has taken a frame, and commits nothing."""

    def __init__(self, *, undelivered_s: float = 0.0, joined: bool = True) -> None:
        settings = SimpleNamespace(frame_timeout_ms=5000, input="raw")
        lanes = {ZERO: [object()]}
        self.frames = SimpleNamespace(pipeline=SimpleNamespace(settings=settings), lanes=lanes)
        self.joined = joined
        self.undelivered_s = undelivered_s
        self.partitions = [ZERO] if joined else []
        self.commits: dict[Partition, int] = {}

    def committed(self) -> dict[Partition, int]:
        return self.commits.copy()


@dataclass
class Broker:
    """Answers, or does not; and hands the next frame out, or has none."""

    away: bool = False
    has_frame: bool = True
    asked: list[Sequence[Partition]] = field(default_factory=list)

    def partitions(self, _topic: str) -> list[Partition]:
        return [ZERO]

    def standings(self, partitions: Sequence[Partition]) -> Mapping[Partition, Standing]:
        if self.away:
            raise BrokerUnavailable("nobody answers")
        self.asked.append(partitions)
        return dict.fromkeys(partitions, Standing(5, 9))

    def hands_out(self, _partition: Partition, _standing: Standing) -> bool:
        return self.has_frame


@dataclass
class Clock:
    """Stands in for `time` and for the event that is waited for: each wait takes its time, or as `takes` says."""

    waits: int
    takes: Sequence[float] = ()
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waits -= 1
        self.now += self.takes[-self.waits - 1] if self.takes else seconds
        return self.waits < 0


def on_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def watchdog(
    worker: Worker, broker: Broker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> tuple[Watchdog, list[int]]:
    monkeypatch.setattr("streams.watchdog.time", clock)
    exits: list[int] = []
    return Watchdog(worker, broker, LIMITS, ended=clock, exit=exits.append), exits  # type: ignore[arg-type]


def looks(count: int, worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the watchdog has found after so many looks at the broker, ten seconds apart."""
    found = ""

    async def run() -> None:
        nonlocal found
        dog, _ = watchdog(worker, broker, Clock(count), monkeypatch)
        dog._watch_commits()
        found = dog.trouble

    on_loop(run)
    return found


def test_a_standstill_is_found_after_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(6, Worker(), Broker(), monkeypatch) == ""
    assert "nothing was committed for 60 s though frames wait: raw/0" in looks(7, Worker(), Broker(), monkeypatch)


def test_a_worker_that_got_no_place_in_its_group_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "raw/0 stands at offset 5 of 9" in looks(7, Worker(joined=False), Broker(), monkeypatch)


def test_a_broker_that_is_away_is_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(30, Worker(), Broker(away=True), monkeypatch) == ""


def test_outputs_that_cannot_be_delivered_are_none_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker()
    assert looks(30, Worker(undelivered_s=11), broker, monkeypatch) == ""
    assert broker.asked == []


def test_time_in_which_the_process_was_paused_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        dog, _ = watchdog(Worker(), Broker(), Clock(4, takes=[10.0, 10.0, 3600.0, 10.0, 10.0]), monkeypatch)
        dog._watch_commits()
        assert dog.trouble == ""

    on_loop(run)


def test_what_the_broker_has_no_record_for_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(30, Worker(), Broker(has_frame=False), monkeypatch) == ""


def test_of_what_goes_on_the_broker_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        worker, broker = Worker(), Broker()
        dog, _ = watchdog(worker, broker, Clock(1), monkeypatch)
        assert dog._look({ZERO: 1}, {ZERO: 2}) is None
        assert dog._look({ZERO: 2}, {ZERO: 2}) is None
        assert broker.asked == [[], [ZERO]]

    on_loop(run)


def test_what_is_found_ends_the_worker_by_way_of_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        dog, exits = watchdog(Worker(), Broker(), Clock(7), monkeypatch)
        dog._watch_commits()
        with pytest.raises(FramelaneError, match=r"nothing was committed for 60 s .* to be started again"):
            await dog.run()
        assert exits == []

    on_loop(run)


def test_a_worker_that_does_not_end_then_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        dog, exits = watchdog(Worker(), Broker(), Clock(8), monkeypatch)
        dog._watch_commits()
        assert exits == [1]

    on_loop(run)


def silence(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[int]]:
    """What the watchdog says of a loop that does not tick while the clock runs."""
    found: tuple[str, list[int]] = ("", [])

    async def run() -> None:
        nonlocal found
        dog, exits = watchdog(Worker(), Broker(), clock, monkeypatch)
        dog._watch_loop()
        found = dog.trouble, exits

    on_loop(run)
    return found


def test_a_loop_that_does_not_tick_is_found_and_at_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silence(Clock(9), monkeypatch) == ("", [])
    trouble, exits = silence(Clock(10), monkeypatch)
    assert trouble.startswith("the event loop has not ticked for 10 s, at thread_place.py:"), "here it looks at itself"
    assert exits == []
    assert silence(Clock(30), monkeypatch)[1] == [1]


def test_a_process_that_was_paused_has_not_been_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silence(Clock(4, takes=[1.0, 1.0, 3600.0, 1.0, 1.0]), monkeypatch) == ("", [])


def test_a_blocked_loop_is_found_by_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.watchdog.CHECK_S", 0.02)
    monkeypatch.setattr("streams.watchdog.BEAT_S", 0.01)
    released, ended, codes = threading.Event(), threading.Event(), list[int]()

    def leave(code: int) -> None:
        codes.append(code)
        ended.set()
        released.set()

    async def run() -> None:
        limits = WatchSettings(stall_s=0, loop_s=0.2, end_s=0.2)
        dog = Watchdog(Worker(), Broker(), limits, ended=ended, exit=leave)  # type: ignore[arg-type]
        dog.start()
        await asyncio.sleep(0)
        assert released.wait(20), "nobody ended it"

    on_loop(run)
    assert codes == [1]
