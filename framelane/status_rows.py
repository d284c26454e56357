"""The rows of a status: a pipeline, a process, a camera, made of reports and of what the broker says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from consumers.reported import Reported, captured_of, dead_of, dropped_of, processed_of
from framelane.group_report import GroupState, Member, PartitionState


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineLine:
    """A pipeline, which is a consumer group: the broker's word for it, and what its workers report.

    name: of the pipeline as reported, without its hash; the group's where nobody reports. labels: `name@hash` of its
    running workers: more than one while a change is under way. state, members, partitions, absent_topics, trouble: as
    in GroupState. unowned: `topic/partition` of those that no member has. lag: frames; lag_s: of the partition that is
    furthest behind, seconds, None where it is not known. fps, dead_letter_fps: of the running workers, between their
    last two reports. age_p50_ms: of its middle camera, age_p99_ms of its worst one, capture to published. Sums are
    those of its workers since each of them started.
    """

    group: str
    name: str
    labels: tuple[str, ...] = ()
    state: str = "unknown"
    members: tuple[Member, ...] = ()
    partitions: tuple[PartitionState, ...] = ()
    unowned: tuple[str, ...] = ()
    absent_topics: tuple[str, ...] = ()
    lag: int = 0
    lag_s: float | None = 0.0
    fps: float = 0.0
    age_p50_ms: float | None = None
    age_p99_ms: float | None = None
    processed: int = 0
    filtered: int = 0
    stale: int = 0
    dead_lettered: dict[str, int] = field(default_factory=dict)
    dead_letter_fps: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLine:
    """A camera in one pipeline; in none when only its producer reports.

    captured_fps: None when no producer reports it. Sums since each process started; gaps: numbers missing in its
    sequence as the workers saw it. losing: frames dropped or dead-lettered a second, between the last two reports.
    """

    camera: str
    pipeline: str = ""
    captured_fps: float | None = None
    processed_fps: float = 0.0
    age_p50_ms: float | None = None
    age_p99_ms: float | None = None
    captured: int = 0
    produced: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    consumed: int = 0
    processed: int = 0
    filtered: int = 0
    stale: int = 0
    dead_lettered: dict[str, int] = field(default_factory=dict)
    gaps: int = 0
    losing: float = 0.0


def pipeline_line(state: GroupState, workers: Sequence[Reported]) -> PipelineLine:
    """A group with the workers that say that they are of it."""
    running = [each for each in workers if each.running]
    ages = [sums for each in running for sums in each.status.cameras.values() if sums.age_p50_ms is not None]
    behind = [each for each in state.partitions if each.lag or each.leaderless]
    sums = [sums for each in workers for sums in each.status.cameras.values()]
    return PipelineLine(
        group=state.group,
        name=_name(state.group, workers),
        labels=tuple(sorted({each.status.pipeline for each in running})),
        state=state.state,
        members=state.members,
        partitions=state.partitions,
        unowned=tuple(f"{each.topic}/{each.partition}" for each in state.partitions if not each.member),
        absent_topics=state.absent_topics,
        lag=sum(each.lag for each in state.partitions),
        lag_s=None
        if any(each.lag_s is None for each in behind)
        else max((each.lag_s or 0 for each in behind), default=0),
        fps=sum(each.rate(processed_of) for each in running),
        age_p50_ms=median(each.age_p50_ms or 0 for each in ages) if ages else None,
        age_p99_ms=max((each.age_p99_ms or 0 for each in ages), default=None),
        processed=sum(map(processed_of, sums)),
        filtered=sum(each.filtered for each in sums),
        stale=sum(each.stale for each in sums),
        dead_lettered=_together(each.dead_lettered for each in sums),
        dead_letter_fps=sum(each.rate(dead_of) for each in running),
        trouble=state.trouble,
    )


def camera_lines(producers: Sequence[Reported], workers: Mapping[str, Sequence[Reported]]) -> list[CameraLine]:
    """A row for each camera in each pipeline, by name. workers: by group."""
    sources: dict[str, list[Reported]] = {}
    for producer in producers:
        for camera in producer.status.cameras:
            sources.setdefault(camera, []).append(producer)
    lines = [
        _camera_line(camera, _name(group, members), sources.get(camera, []), members)
        for group, members in workers.items()
        for camera in sorted({name for each in members for name in each.status.cameras})
    ]
    seen = {line.camera for line in lines}
    lines += [_camera_line(camera, "", given, []) for camera, given in sources.items() if camera not in seen]
    return sorted(lines, key=lambda line: (line.camera, line.pipeline))


def _camera_line(camera: str, pipeline: str, producers: Sequence[Reported], workers: Sequence[Reported]) -> CameraLine:
    made, worked = [each.sums(camera) for each in producers], [each.sums(camera) for each in workers]
    live = [each.sums(camera) for each in workers if each.running]
    dropped = sum(each.rate(dropped_of, camera) for each in producers)
    return CameraLine(
        camera=camera,
        pipeline=pipeline,
        captured_fps=sum(each.rate(captured_of, camera) for each in producers) if producers else None,
        processed_fps=sum(each.rate(processed_of, camera) for each in workers),
        age_p50_ms=max((each.age_p50_ms for each in live if each.age_p50_ms is not None), default=None),
        age_p99_ms=max((each.age_p99_ms for each in live if each.age_p99_ms is not None), default=None),
        captured=sum(map(captured_of, made)),
        produced=sum(each.produced for each in made),
        dropped=_together(each.dropped for each in made),
        consumed=sum(each.consumed for each in worked),
        processed=sum(map(processed_of, worked)),
        filtered=sum(each.filtered for each in worked),
        stale=sum(each.stale for each in worked),
        dead_lettered=_together(each.dead_lettered for each in worked),
        # Reports of older releases do not have it.
        gaps=sum(getattr(each, "gaps", 0) for each in worked),
        losing=dropped + sum(each.rate(dead_of, camera) for each in workers),
    )


def _name(group: str, workers: Iterable[Reported]) -> str:
    last = max(workers, key=lambda each: each.status.reported_ns, default=None)
    return last.status.pipeline.partition("@")[0] if last else group


def _together(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for reason, count in each.items():
            total[reason] = total.get(reason, 0) + count
    return dict(sorted(total.items(), key=lambda item: -item[1]))
