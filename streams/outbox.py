"""From a frame's result to the broker's word for it: its records are published, and its fate is counted once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic, time_ns

from streams.accounts import Accounts
from streams.cameras import Turns
from streams.contract.errors import FrameError
from streams.contract.headers import Record
from streams.lanes import Entry, Lane
from streams.pipeline import Pipeline, Run
from streams.pool import Task
from streams.processing import Result, failed
from streams.publisher import Publisher
from streams.stage_times import StageTimes
from streams.traces import FrameTrace, Tracing


@dataclass(slots=True, eq=False)
class Work:
    """A frame on its way through a lane. received_ns: when it was taken in, ns since 1970.

    pipeline, turns: those that it is begun with. They stay its own when the agent gets others. redriven: the name of
    the pipeline that it is for, where it is a redriven dead letter. trace: its span, where frames are traced. taken,
    ready, sent: when it was taken in, its result was there, its records were handed over;
    time.monotonic().
    """

    record: Record
    camera: str
    received_ns: int
    pipeline: Pipeline
    turns: Turns
    redriven: str | None = None
    run: Run | None = None
    task: Task[Result] | None = None
    given_back: bool = False
    trace: FrameTrace | None = None
    taken: float = field(default_factory=monotonic)
    ready: float = 0.0
    sent: float = 0.0

    @property
    def begun(self) -> bool:
        """Whether a thread has taken it up."""
        return self.task is not None and self.task.started > 0


FrameLane = Lane[Work, Result]
FrameEntry = Entry[Work, Result]


class Outbox:
    """Publishes what lanes release. moved: called after a lane has got further."""

    def __init__(self, accounts: Accounts, *, times: StageTimes, moved: Callable[[FrameLane], None]) -> None:
        self._accounts, self._times, self._moved = accounts, times, moved
        # Set by the application: the publisher reports to the agent, which this belongs to.
        self.publisher: Publisher
        # Set by the application, too, where frames are traced.
        self.tracing: Tracing | None = None

    def traced(self, work: Work) -> FrameTrace | None:
        """Begin the span of a frame that is about to be run, where frames are traced."""
        if self.tracing is not None:
            work.trace = self.tracing.begin(work.record, received_ns=work.received_ns, pipeline=work.pipeline.label)
        return work.trace

    def publish(self, entry: FrameEntry) -> bool:
        """Hand an entry's records over; False when there is no room for them now."""
        result = entry.result
        assert result is not None
        if self.publisher.full:
            return False
        entry.work.sent = monotonic()
        self._times.add("order", entry.work.sent - entry.work.ready)
        entry.pending = len(result.records)
        for record in result.records:
            self.publisher.publish(record, _Delivery(self, entry, result))
        if not result.records:
            self._count(entry)
        return True

    def failed(self, entry: FrameEntry, error: FrameError) -> Result:
        """The result of a frame that cannot be processed: its dead letter."""
        return failed(entry.work.record, error, pipeline=entry.work.pipeline)

    def delivered(self, entry: FrameEntry) -> None:
        """One of an entry's records needs no more care."""
        if entry.lane.killed:
            return
        if entry.pending == 1:
            self._count(entry)
        entry.lane.delivered(entry)
        self._moved(entry.lane)

    def refused(self, entry: FrameEntry, result: Result, error: FrameError) -> None:
        """The broker refuses a record: a dead letter takes its place, at last one without the frame."""
        if entry.lane.killed:
            return
        if result is not entry.result:
            # Another record of this frame was refused before, and the letter for it says all.
            self.delivered(entry)
            return
        letter = result.records[0] if result.is_letter else None
        if letter and not letter.value and letter.timestamp_ms != entry.work.record.timestamp_ms:
            self.publisher.give_up(error)
            return
        # A letter that is too large goes without the frame, and still says why that failed.
        made = self.failed(entry, error) if letter is None else replace(result, records=(replace(letter, value=b""),))
        # With the time of now: the frame's own may be what the broker refuses.
        now_ms = time_ns() // 1_000_000
        records = tuple(replace(record, timestamp_ms=now_ms) for record in made.records)
        entry.result = replace(made, records=records, seconds=result.seconds)
        self.publisher.publish(records[0], _Delivery(self, entry, entry.result))

    def _count(self, entry: FrameEntry) -> None:
        camera, result = entry.work.camera, entry.result
        assert result is not None
        if entry.work.trace is not None:
            entry.work.trace.ended(result.fate, failed=result.is_letter, seconds=result.seconds)
        if result.records:
            self._times.add("publish", monotonic() - entry.work.sent)
        if result.fate == "processed":
            output = entry.work.pipeline.settings.output
            size = sum(len(record.value) for record in result.records if record.topic == output)
            self._accounts.processed(camera, captured_ns=result.captured_ns or None, now_ns=time_ns(), size=size)
        elif result.fate == "filtered":
            self._accounts.filtered(camera)
        elif result.fate == "stale":
            self._accounts.stale(camera)
        else:
            self._accounts.dead_lettered(camera, result.fate)


@dataclass(frozen=True, slots=True, eq=False)
class _Delivery:
    """One record on its way: what became of it goes to its entry."""

    outbox: Outbox
    entry: FrameEntry
    result: Result

    @property
    def wanted(self) -> bool:
        return not self.entry.lane.killed

    def delivered(self) -> None:
        self.outbox.delivered(self.entry)

    def refused(self, error: FrameError) -> None:
        self.outbox.refused(self.entry, self.result, error)
