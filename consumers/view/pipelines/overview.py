"""What the page of the pipelines shows, made of the reports on `frames.status`."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from consumers.reported import Reported, captured_of, dead_of, dropped_of
from streams.contract.status import CameraSums

# Where a frame waits, or is on its way; in all other stages it is worked on.
WAITING = ("fetch", "queue", "order", "publish")
_FIRST, _LAST = ("fetch", "queue", "decode"), ("encode", "order", "publish")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a pipeline. ms: of a frame, None while there are none; busy: seconds of work a second, all threads."""

    name: str
    waits: bool
    ms: float | None
    busy: float


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A settings hash that runs, and how many workers run it."""

    hash: str
    workers: int


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """A partition and its worker. frames: None where the worker does not know; seconds: how old the next one is."""

    partition: str
    worker: str
    frames: int | None
    seconds: float | None


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, by its last report, which is seen_s old. fps: frames done a second, of whatever fate."""

    instance: str
    hash: str
    state: str
    seen_s: float
    version: str
    started_ms: float
    threads: int | None
    partitions: list[str]
    rebalances: int
    fps: float


class PipelineCard(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline: all workers of one group. Rates are of its running workers, counts since each of them started.

    hashes: more than one while a change is rolled out. state: the best of its workers'. settings: as its newest worker
    reports them. lag, lag_s: frames, and of the partition that is furthest behind, seconds.
    """

    group: str
    name: str
    state: str
    hashes: list[Label]
    fps: float
    dead_fps: float
    age_p50_ms: float | None
    age_p99_ms: float | None
    lag: int
    lag_s: float | None
    stages: list[Stage]
    partitions: list[Lag]
    workers: list[Worker]
    cameras: list[str]
    counts: dict[str, int]
    settings: dict[str, Any]


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A producer, a gateway or a view, in short. away: of its cameras that give nothing, what it says of them."""

    role: str
    instance: str
    state: str
    seen_s: float
    version: str
    fps: float
    dropped_fps: float
    cameras: list[str]
    away: dict[str, str]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, as of now."""

    pipelines: list[PipelineCard]
    processes: list[Process]


def overview(reports: Iterable[Reported]) -> Overview:
    """The page's content."""
    groups: dict[str, list[Reported]] = {}
    others = []
    for each in reports:
        if each.status.role == "worker":
            groups.setdefault(each.status.group, []).append(each)
        else:
            others.append(_process(each))
    cards = [_card(group, workers) for group, workers in sorted(groups.items())]
    # What runs goes first.
    return Overview(pipelines=sorted(cards, key=lambda card: card.state in ("silent", "stopped")), processes=others)


def _card(group: str, workers: Sequence[Reported]) -> PipelineCard:
    running = [each for each in workers if each.running]
    newest = max(running or workers, key=lambda each: each.status.started_ns)
    hashes = [each.status.pipeline.partition("@")[2] for each in running]
    partitions = sorted((lag for each in running for lag in _lags(each)), key=lambda lag: _natural(lag.partition))
    known = [lag.seconds for lag in partitions if lag.seconds is not None]
    sums = [sums for each in running for sums in each.status.cameras.values()]
    return PipelineCard(
        group=group,
        name=newest.status.pipeline.partition("@")[0] or group,
        state=min((each.state for each in workers), key=("running", "starting", "silent", "stopped").index),
        hashes=[Label(hash=one, workers=hashes.count(one)) for one in sorted(set(hashes))],
        fps=sum(each.rate(_finished) for each in running),
        dead_fps=sum(each.rate(dead_of) for each in running),
        age_p50_ms=_middle([each.age_p50_ms for each in sums if each.age_p50_ms is not None]),
        age_p99_ms=max((each.age_p99_ms for each in sums if each.age_p99_ms is not None), default=None),
        lag=sum(lag.frames or 0 for lag in partitions),
        lag_s=max(known) if known else None,
        stages=_stages(running),
        partitions=partitions,
        workers=[_worker(each) for each in workers],
        cameras=sorted({camera for each in running for camera in each.status.cameras}),
        counts=_counts(sums),
        settings={key: value for key, value in newest.status.settings.items() if key != "threads"},
    )


def _stages(running: Sequence[Reported]) -> list[Stage]:
    """The stages in the order in which a frame passes them."""
    busy: dict[str, float] = {}
    for each in running:
        for stage, rate in each.stage_rates().items():
            busy[stage] = busy.get(stage, 0.0) + rate
    fps = sum(each.rate(_finished) for each in running)
    return [
        Stage(name=name, waits=name in WAITING, ms=1000 * rate / fps if fps else None, busy=rate)
        for name, rate in sorted(busy.items(), key=lambda item: _place(item[0]))
    ]


def _place(stage: str) -> tuple[int, int]:
    if stage in _FIRST:
        return (0, _FIRST.index(stage))
    if stage in _LAST:
        return (2, _LAST.index(stage))
    index = stage.partition(":")[0]
    return (1, int(index) if index.isdecimal() else 0)


def _lags(worker: Reported) -> list[Lag]:
    status = worker.status
    return [
        Lag(partition=name, worker=status.instance, frames=status.lag.get(name), seconds=status.lag_s.get(name))
        for name in status.partitions
    ]


def _worker(each: Reported) -> Worker:
    status = each.status
    threads = status.settings.get("threads")
    return Worker(
        instance=status.instance,
        hash=status.pipeline.partition("@")[2],
        state=each.state,
        seen_s=round(each.seen_s, 1),
        version=status.version,
        started_ms=status.started_ns / 1e6,
        threads=threads if isinstance(threads, int) else None,
        partitions=sorted(status.partitions, key=_natural),
        rebalances=status.rebalances,
        fps=each.rate(_finished),
    )


def _process(each: Reported) -> Process:
    line, makes = each.line(), each.status.role == "producer"
    return Process(
        role=each.status.role,
        instance=line.instance,
        state=line.state,
        seen_s=line.seen_s,
        version=line.version,
        fps=each.rate(captured_of if makes else _finished),
        dropped_fps=each.rate(dropped_of) if makes else 0.0,
        cameras=sorted(each.status.cameras),
        away=line.away,
    )


def _finished(sums: CameraSums) -> int:
    return sums.processed + sums.filtered + dead_of(sums)


def _counts(sums: Sequence[CameraSums]) -> dict[str, int]:
    names = ("consumed", "processed", "filtered", "stale", "returned", "gaps")
    return {name: sum(getattr(each, name) for each in sums) for name in names} | {"dead": sum(map(dead_of, sums))}


def _middle(numbers: Sequence[float]) -> float | None:
    return sorted(numbers)[len(numbers) // 2] if numbers else None


def _natural(partition: str) -> tuple[str, int]:
    topic, _, number = partition.rpartition("/")
    return topic, int(number) if number.isdecimal() else 0
