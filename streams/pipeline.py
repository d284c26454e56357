"""A pipeline: decode, the operators in their order, encode; each stage timed, each failure typed.

It runs in a pool of threads: whatever changes from frame to frame lives in what `Pipeline.open` returns.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from streams.contract.errors import FrameError
from streams.contract.frame import Event, Frame
from streams.contract.identity import pipeline_source
from streams.contract.images import CONTENT_TYPES, check_image, encode, inspect
from streams.decoding import decode_whole, decoder
from streams.operators.base import Opened
from streams.pipeline_settings import PipelineSettings, build_operators, plan_of

Clock = Callable[[], float]
# The operator's index and the stage's name; the first step, or a later one, decodes and has the index _DECODE.
Step = tuple[int, str, Opened]
_DECODE = -1


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event and what names it beside the frame: the operator's index in the pipeline, its number in the frame."""

    operator_index: int
    number: int
    event: Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a frame.

    frame: encoded and ready to publish, or None when an operator filtered it out; without bytes in a pipeline that has
    no output. events: what was found, also in a frame that was filtered out afterwards. seconds: by stage, "decode",
    "0:resize", ..., "encode".
    """

    frame: Frame | None
    events: tuple[FoundEvent, ...]
    seconds: Mapping[str, float]


class Run(Protocol):
    """An opened pipeline: with memory, for one camera, in order, by one thread at a time; else for all.

    Both raise FrameError with reason and stage, and nothing else.
    """

    def __call__(self, frame: Frame) -> Outcome:
        """What becomes of the frame."""

    def remember(self, frame: Frame) -> None:
        """Only learn from the frame: operators see it up to the last one with memory, and nothing comes out."""


class Pipeline:
    """Operators made from settings, to be opened once for all cameras or, with memory, once for each."""

    def __init__(self, settings: PipelineSettings, *, clock: Clock = time.perf_counter) -> None:
        """Make the operators; SettingError when one refuses its parameters. clock: seconds, for the stages."""
        self.settings = settings
        self.label = settings.label
        self._clock = clock
        self.operators = build_operators(settings)
        self.plan = plan_of(settings, self.operators)
        named = zip(settings.operators, self.operators, strict=True)
        # As they stand in dead letters: the label's hash alone tells nobody which versions it is of.
        self.versions = " ".join(f"{entry.op}/{getattr(operator, 'version', 1)}" for entry, operator in named)
        self.memory_frames = max((operator.memory_frames for operator in self.operators), default=0)
        self.has_memory = self.memory_frames > 0
        # The index of the last operator with memory.
        self.remembers = max((n for n, operator in enumerate(self.operators) if operator.memory_frames > 0), default=-1)

    def open(self) -> Run:
        """The pipeline with a fresh memory."""
        steps = [
            (index, f"{index}:{entry.op}", operator.open())
            for index, (entry, operator) in enumerate(zip(self.settings.operators, self.operators, strict=True))
        ]
        return _Run(self, steps, clock=self._clock)

    def has_operators_of(self, other: "Pipeline") -> bool:
        """Whether its operators are those of the other, with the same parameters and files, and in the same order."""
        return self.settings.operators == other.settings.operators and self.versions == other.versions

    def continued(self, run: Run) -> Run:
        """As `open`, with the opened operators of another pipeline's run, and so with what they remember.

        Only where `has_operators_of` that one.
        """
        assert isinstance(run, _Run)
        return _Run(self, run.steps, clock=self._clock)


class _Run:
    """One opened pipeline. It keeps nothing from one frame to the next; the opened operators may."""

    def __init__(self, pipeline: Pipeline, steps: list[Step], *, clock: Clock) -> None:
        self._settings, self._label, self._plan, self._clock = pipeline.settings, pipeline.label, pipeline.plan, clock
        self._source, self._remembers = pipeline_source(pipeline.label), pipeline.remembers
        self.steps = steps
        at = self._plan.at or 0
        self._planned: list[Step] = [*steps[:at], (_DECODE, "decode", decoder(self._plan)), *steps[at:]]
        self._unplanned: list[Step] = [(_DECODE, "decode", decode_whole), *steps]

    def __call__(self, frame: Frame) -> Outcome:
        clock, seconds = self._clock, dict[str, float]()
        events: list[FoundEvent] = []
        current = self._inspected(frame)
        now = clock()
        for index, stage, operate in self._steps(current):
            result = operate(current) if index == _DECODE else _applied(operate, current, stage=stage)
            before, now = now, clock()
            seconds[stage] = now - before
            if result is None:
                return Outcome(None, tuple(events), seconds)
            if result.events is not current.events:
                found = result.events[len(current.events) :]
                events += [FoundEvent(index, number, event) for number, event in enumerate(found)]
            current = result
        if not self._settings.output:
            return Outcome(self._signed(current, b"", frame.content_type), tuple(events), seconds)
        published = self._encoded(current, frame)
        seconds["encode"] = clock() - now
        return Outcome(published, tuple(events), seconds)

    def remember(self, frame: Frame) -> None:
        inspected = self._inspected(frame)
        current: Frame | None = inspected
        for index, stage, operate in self._steps(inspected):
            if current is None or index > self._remembers:
                return
            current = operate(current) if index == _DECODE else _applied(operate, current, stage=stage)

    def _inspected(self, frame: Frame) -> Frame:
        """The frame with its header, where there are only bytes."""
        if frame.header is not None or frame.has_image:
            return frame
        return frame.changed(header=inspect(frame.data, max_pixels=self._settings.max_pixels))

    def _steps(self, frame: Frame) -> list[Step]:
        return self._planned if frame.header and frame.header.scales else self._unplanned

    def _encoded(self, frame: Frame, original: Frame) -> Frame:
        content_type = CONTENT_TYPES.get(self._settings.format) or original.content_type
        if frame.data and content_type == frame.content_type and not self._turned_gray(frame):
            # They are the picture: the camera's own bytes, where no operator has changed it, are the best to be sent.
            return self._signed(frame, frame.data, content_type)
        data = encode(frame.image, content_type, quality=self._settings.quality)
        return self._signed(frame, data, content_type)

    def _turned_gray(self, frame: Frame) -> bool:
        """Whether the picture was decoded to gray in an operator's stead, and its bytes are in colour."""
        header = frame.header
        return self._plan.turns_gray and header is not None and header.scales and header.colorspace != "Gray"

    def _signed(self, frame: Frame, data: bytes, content_type: str) -> Frame:
        # The pixels are let go: what waits for the broker should weigh no more than its bytes.
        return frame.changed(
            data=data,
            content_type=content_type,
            source=self._source,
            pipeline=self._label,
            header=None,
            _image=None,
            _reduced=None,
        )


def _applied(operate: Callable[[Frame], object], frame: Frame, *, stage: str) -> Frame | None:
    """What the operator makes of the frame; FrameError when it raises or returns what no operator may."""
    try:
        result = operate(frame)
    except FrameError as error:
        if error.reason != "undecodable":
            timed_out = error.reason == "operator_timeout"
            raise FrameError(str(error), reason=error.reason if timed_out else "operator_error", stage=stage) from error
        # The operator was the first to ask for the picture.
        raise
    except Exception as error:
        # Operators are anyone's code, and cv2.error is an Exception: whatever they raise concerns this frame only.
        raise _operator_error(error, stage) from error
    if result is frame or result is None:
        return frame if result is frame else None
    if not isinstance(result, Frame):
        raise _bad(f"returned a {type(result).__name__}, expected the frame or None", stage)
    if (result.sequence, result.epoch, result.camera_id) != (frame.sequence, frame.epoch, frame.camera_id):
        raise _bad(f"was given {frame.name} and returned {result.name}", stage)
    if result.events is not frame.events and result.events[: len(frame.events)] != frame.events:
        raise _bad("took away events that others had found; with_events() adds to them", stage)
    image = result._image
    if image is None:
        if not result.data:
            raise _bad("returned a frame without a picture; with_image() gives it one", stage)
    elif image is not frame._image:
        check_image(image, stage=stage)
        if image.shape[:2] != (result.height, result.width):
            raise _bad(f"returned {image.shape[1]}x{image.shape[0]} pixels as {result.width}x{result.height}", stage)
        image.flags.writeable = False
    return result


def _operator_error(error: Exception, stage: str) -> FrameError:
    text = " ".join(str(error).split())
    return FrameError(f"{type(error).__name__}: {text}", reason="operator_error", stage=stage)


def _bad(message: str, stage: str) -> FrameError:
    return FrameError(message, reason="bad_result", stage=stage)
