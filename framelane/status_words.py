"""What is wrong, in plain words, and the mend: for somebody who was woken at 3 a.m."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from consumers.reported import ProcessLine
from framelane.status_report import StatusReport
from framelane.status_rows import CameraLine, PipelineLine

# A worker that keeps up is behind by the frames that it has in hand, which is well below this.
LATE_S = 10.0
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. mend: what to do about it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}"


def findings(report: StatusReport) -> list[Finding]:
    """What is wrong, the worst first; empty when all is well."""
    found = [each for line in report.pipelines for each in _of_pipeline(line)]
    found += _of_processes(report)
    found += _of_cameras(report)
    if report.no_reports:
        found.append(Finding(what="what workers and cameras report is not known", mend=report.no_reports))
    elif not report.workers and not report.pipelines:
        found.append(Finding(what="no worker runs, and no group is known", mend="framelane work --help"))
    return found


def seconds_text(seconds: float | None) -> str:
    """A length of time for people: 0.4 s, 12 s, 5 min, 3 h, 2 d; "?" when it is not known."""
    if seconds is None:
        return "?"
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 or not seconds else f"{seconds:.1f} s"


def names_text(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def partitions_text(names: Iterable[str]) -> str:
    """`topic/partition` names by topic, with ranges: frames.raw 0-3,7."""
    numbers: dict[str, list[int]] = {}
    for name in names:
        topic, _, number = name.rpartition("/")
        numbers.setdefault(topic, []).append(int(number))
    return "; ".join(f"{topic} {_ranges(sorted(of))}" for topic, of in sorted(numbers.items()))


def _ranges(numbers: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in spans)


def _of_pipeline(line: PipelineLine) -> Iterator[Finding]:
    who = f"group {line.group}"
    if line.trouble:
        yield Finding(what=f"{who} cannot be seen", mend=line.trouble)
    if line.absent_topics:
        topics = ", ".join(line.absent_topics)
        yield Finding(
            what=f"{who} reads {topics}, which does not exist or is not shown to this user",
            mend=f"framelane topics create {' '.join(line.absent_topics)}, or the ACL: Read on it",
        )
    leaderless = [f"{each.topic}/{each.partition}" for each in line.partitions if each.leaderless]
    if leaderless:
        yield Finding(
            what=f"no broker leads {partitions_text(leaderless)}",
            mend="a broker is down: start it again; nothing is lost",
        )
    yield from _of_members(line)
    yield from _of_lag(line)
    if line.dead_letter_fps > 0:
        reasons = names_text([f"{reason} {count}" for reason, count in line.dead_lettered.items()])
        yield Finding(
            what=f"pipeline {line.name} makes {line.dead_letter_fps:.1f} dead letters a second ({reasons})",
            mend=f"framelane dead-letters list --pipeline {line.name} --since -10m says why, and where",
        )
    if len(line.labels) > 1:
        yield Finding(
            what=f"the workers of {who} run different pipelines: {', '.join(line.labels)}",
            mend="start the older ones again with the same settings",
        )


def _of_members(line: PipelineLine) -> Iterator[Finding]:
    who, behind = f"group {line.group}", _behind(line)
    if line.state == "rebalancing":
        yield Finding(what=f"{who} is sharing out its partitions", mend="ask again in half a minute")
    elif line.state == "absent":
        yield Finding(what=f"the broker knows no {who}", mend="start a worker of it (framelane work), or mend the name")
    elif line.state == "empty":
        yield Finding(
            what=f"{who} has no worker{behind}",
            mend="start one (framelane work); or, when nobody needs it any more, delete the group "
            f"(kafka-consumer-groups.sh --delete --group {line.group})",
        )
    elif line.state == "stable" and line.unowned:
        waiting = sum(each.lag for each in line.partitions if not each.member)
        yield Finding(
            what=f"{who}: nobody has {partitions_text(line.unowned)}, where {waiting} frames wait",
            mend="start its workers again",
        )
    idle = sum(not member.partitions for member in line.members)
    if line.state == "stable" and idle:
        yield Finding(
            what=f"{idle} of {len(line.members)} workers of {who} have no partition",
            mend=f"there are {len(line.partitions)} partitions, and more workers than that only stand by",
        )


def _of_lag(line: PipelineLine) -> Iterator[Finding]:
    who = f"group {line.group}"
    expired = sum(each.expired for each in line.partitions if each.committed is not None)
    if expired:
        yield Finding(
            what=f"{who} has lost {expired} frames that were deleted before it read them",
            mend="let the topic keep them for longer, and see why it was behind",
        )
    if line.members and line.state == "stable" and (line.lag_s or 0) > LATE_S:
        enough = len(line.members) < len(line.partitions)
        more = "start more workers" if enough else "it has a worker for each partition: make operators cheaper"
        if line.labels and not line.fps:
            more = "its workers report, and process nothing: see their logs, and framelane doctor"
        yield Finding(what=f"{who} is late{_behind(line)}, at {line.fps:.1f} frames a second", mend=more)
    if line.lag and line.lag_s is None and not any(each.leaderless for each in line.partitions):
        yield Finding(
            what=f"how old the frames are that wait for {who} is not known", mend="add the ACL: Read on the topic"
        )


def _behind(line: PipelineLine) -> str:
    if not line.lag:
        return ""
    oldest = "" if line.lag_s is None else f", the oldest for {seconds_text(line.lag_s)}"
    return f", and {line.lag} frames wait{oldest}"


def _of_processes(report: StatusReport) -> Iterator[Finding]:
    served = {line.group for line in report.pipelines if line.state == "stable" and not line.unowned}
    for over in (False, True):
        silent = [each for each in report.workers if each.state == "silent" and (each.group in served) == over]
        if silent:
            yield Finding(
                what=f"silent without having stopped: {names_text([_last_heard(each) for each in silent])}",
                mend="see its log; it was killed, or hangs, or cannot reach the broker, or its clock is off"
                + ("; others have its partitions now" if over else ""),
            )
    gone = [each for each in report.producers if each.state == "silent" and not _replaced(each, report.producers)]
    if gone:
        cameras = names_text(sorted({camera for each in gone for camera in each.cameras}))
        yield Finding(what=f"the producer of {cameras} has been silent", mend="see its log, and start it again")


def _last_heard(line: ProcessLine) -> str:
    return f"{line.instance} of {line.group} ({seconds_text(line.seen_s)})"


def _replaced(line: ProcessLine, others: Sequence[ProcessLine]) -> bool:
    """Whether others produce all its cameras by now."""
    now = {camera for each in others if each.state in ("starting", "running") for camera in each.cameras}
    return set(line.cameras) <= now


def _of_cameras(report: StatusReport) -> Iterator[Finding]:
    running = [each for each in report.producers if each.state == "running"]
    live = {camera for each in running if each.seen_s >= 0 for camera in each.cameras}
    away = {camera: state for each in running for camera, state in each.away.items()}
    for camera, state in list(away.items())[:_NAMED]:
        yield Finding(what=f"camera {camera} gives nothing", mend=state)
    live -= set(away)
    still = sorted({line.camera for line in report.cameras if line.camera in live and _stands_still(line)})
    if still:
        yield Finding(what=f"no frame comes from {names_text(still)}", mend="look at the camera and its producer's log")
    losing = sorted({line.camera for line in report.cameras if line.losing and line.dropped})
    if losing:
        yield Finding(
            what=f"producers drop frames of {names_text(losing)}",
            mend="the broker, or the way to it, is too slow: see framelane doctor, or lower fps, size or quality",
        )


def _stands_still(line: CameraLine) -> bool:
    return line.captured > 0 and line.captured_fps == 0.0
