"""What a thread does with one record: read it, run the pipeline, and make the records that go out."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError
from streams.contract.events import encode_event
from streams.contract.frame import Frame
from streams.contract.headers import HOPS, Record, to_frame, to_headers
from streams.contract.redrive import is_redriven, letter_of, mark_headers
from streams.freshness import too_old
from streams.pipeline import Outcome, Pipeline
from streams.publisher import OutRecord
from streams.traces import FrameTrace

Run = Callable[[Frame], Outcome]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What became of a frame.

    fate: "processed", "filtered", "stale", or the reason of its dead letter. records: to be published, in order.
    captured_ns: ns since 1970, 0 when it is not known, or says nothing of how late the pipeline is. seconds: time by
    stage.
    """

    fate: str
    records: tuple[OutRecord, ...] = ()
    captured_ns: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_letter(self) -> bool:
        """Whether the frame became a dead letter."""
        return self.fate not in _NO_LETTER


_NO_LETTER = ("processed", "filtered", "stale")
FILTERED = Result("filtered")
STALE = Result("stale")


def process(
    record: Record,
    run: Run,
    *,
    pipeline: Pipeline,
    received_ns: int,
    trace: FrameTrace | None = None,
) -> Result:
    """Process one record; never raises: whatever goes wrong is the result.

    run: what `pipeline.open()` returned. received_ns: when the worker took the record in, ns since 1970. trace: its
    span, where it is traced.
    """
    if trace is None:
        return _process(record, run, pipeline, received_ns, None)
    trace.begun_ns = time.time_ns()
    result = _process(record, run, pipeline, received_ns, trace.traceparent)
    trace.ready_ns = time.time_ns()
    return result


def _process(record: Record, run: Run, pipeline: Pipeline, received_ns: int, traceparent: str | None) -> Result:
    try:
        if too_old(record, pipeline.settings):
            return STALE
        redriven = is_redriven(record)
        # What the frame was before does not matter here: this pipeline's output names this input.
        frame = to_frame(
            record,
            max_pixels=pipeline.settings.max_pixels,
            input=record.place,
            hops={"received": received_ns, "started": time.time_ns()},
            traceparent=traceparent,
        )
        outcome = run(frame)
        return _success(record, frame, outcome, pipeline, redriven=redriven)
    except FrameError as error:
        return failed(record, error, pipeline=pipeline)
    except Exception as error:  # noqa: BLE001 - the agent's boundary: nothing may escape, it becomes a dead letter
        wrapped = FrameError(f"{type(error).__name__}: {error}", reason="operator_error", stage="pipeline")
        return failed(record, wrapped, pipeline=pipeline)


def failed(record: Record, error: FrameError, *, pipeline: Pipeline) -> Result:
    """A frame that could not be processed."""
    letter = dead_letter(
        record,
        error,
        pipeline=pipeline.label,
        operators=pipeline.versions,
        failed_ns=time.time_ns(),
    )
    out = OutRecord(pipeline.settings.dead_letter, letter.key, letter.value, letter.headers, letter.timestamp_ms)
    return Result(error.reason, (out,))


def _success(record: Record, frame: Frame, outcome: Outcome, pipeline: Pipeline, *, redriven: bool) -> Result:
    settings, label = pipeline.settings, pipeline.label
    records = []
    for found in outcome.events:
        value, headers = encode_event(
            found.event, frame, pipeline=label, operator_index=found.operator_index, number=found.number
        )
        records.append(OutRecord(settings.events, record.key, value, headers, record.timestamp_ms))
    if outcome.frame is not None and settings.output:
        headers = to_headers(outcome.frame)
        headers.append((HOPS["processed"], str(time.time_ns()).encode()))
        records.append(OutRecord(settings.output, record.key, outcome.frame.data, headers, record.timestamp_ms))
    fate = "filtered" if outcome.frame is None else "processed"
    if not redriven:
        return Result(fate, tuple(records), frame.captured_at_ns, outcome.seconds)
    if letter := letter_of(record):
        # Also where an operator left the frame out: it does not fail any more. Dated now, it outlives the letter.
        headers = mark_headers(letter, mark="mended", pipeline=label)
        records.append(OutRecord(settings.dead_letter, record.key, b"", headers, time.time_ns() // 1_000_000))
    return Result(fate, tuple(records), seconds=outcome.seconds)
