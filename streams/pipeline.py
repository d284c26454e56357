"""A pipeline: decode, the operators in their order, encode; each stage timed, each failure typed.

It runs in a pool of threads: whatever changes from frame to frame lives in what `Pipeline.open` returns.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from streams.contract.errors import FrameError
from streams.contract.frame import Event, Frame
from streams.contract.identity import pipeline_source
from streams.contract.images import CONTENT_TYPES, check_image, decode, encode
from streams.operators.base import Opened
from streams.pipeline_settings import PipelineSettings, build_operators

Clock = Callable[[], float]


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
        self._operators = build_operators(settings)
        self.memory_frames = max((operator.memory_frames for operator in self._operators), default=0)
        self.has_memory = self.memory_frames > 0

    def open(self) -> Run:
        """The pipeline with a fresh memory."""
        stages = [
            (f"{index}:{entry.op}", operator.open())
            for index, (entry, operator) in enumerate(zip(self.settings.operators, self._operators, strict=True))
        ]
        learning = max((n for n, operator in enumerate(self._operators, 1) if operator.memory_frames > 0), default=0)
        return _Run(self.settings, self.label, stages, learning=learning, clock=self._clock)


class _Run:
    """One opened pipeline. It keeps nothing from one frame to the next; the opened operators may.

    learning: how many of the stages it takes until the last one with memory has seen a frame.
    """

    def __init__(
        self, settings: PipelineSettings, label: str, stages: list[tuple[str, Opened]], *, learning: int, clock: Clock
    ) -> None:
        self._settings, self._label, self._stages, self._clock = settings, label, stages, clock
        self._learning = stages[:learning]
        self._source = pipeline_source(label)

    def __call__(self, frame: Frame) -> Outcome:
        clock, seconds = self._clock, dict[str, float]()
        events: list[FoundEvent] = []
        before = clock()
        current = _decoded(frame, max_pixels=self._settings.max_pixels)
        now = clock()
        seconds["decode"] = now - before
        for index, (stage, operate) in enumerate(self._stages):
            result = _applied(operate, current, stage=stage)
            before, now = now, clock()
            seconds[stage] = now - before
            if result is None:
                return Outcome(None, tuple(events), seconds)
            found = result.events[len(current.events) :]
            events += [FoundEvent(index, number, event) for number, event in enumerate(found)]
            current = result
        if not self._settings.output:
            return Outcome(self._signed(current, b"", frame.content_type), tuple(events), seconds)
        published = self._encoded(current, frame)
        seconds["encode"] = clock() - now
        return Outcome(published, tuple(events), seconds)

    def remember(self, frame: Frame) -> None:
        current: Frame | None = _decoded(frame, max_pixels=self._settings.max_pixels)
        for stage, operate in self._learning:
            if current is None:
                return
            current = _applied(operate, current, stage=stage)

    def _encoded(self, frame: Frame, original: Frame) -> Frame:
        content_type = CONTENT_TYPES.get(self._settings.format) or original.content_type
        if frame.data and content_type == original.content_type:
            # No operator has changed the picture, so the camera's own bytes are the best that can be sent.
            return self._signed(frame, original.data, content_type)
        data = encode(frame.image, content_type, quality=self._settings.quality)
        return self._signed(frame, data, content_type)

    def _signed(self, frame: Frame, data: bytes, content_type: str) -> Frame:
        # The pixels are let go: what waits for the broker should weigh no more than its bytes.
        return replace(
            frame, data=data, content_type=content_type, source=self._source, pipeline=self._label, _image=None
        )


def _decoded(frame: Frame, *, max_pixels: int) -> Frame:
    """The frame with its picture, which nobody can write into, and the size that it turned out to have."""
    given = frame.image if frame.has_image else decode(frame.data, max_pixels=max_pixels)
    image = check_image(given, stage="decode").view()
    image.flags.writeable = False
    height, width = image.shape[:2]
    if (width, height) == (frame.width, frame.height):
        return replace(frame, _image=image)
    # A PNG or WebP that its EXIF data turn: the gate sees the size as stored.
    return replace(frame, _image=image, width=width, height=height, raw_size=(width, height))


def _applied(operate: Callable[[Frame], object], frame: Frame, *, stage: str) -> Frame | None:
    """What the operator makes of the frame; FrameError when it raises or returns what no operator may."""
    try:
        result = operate(frame)
    except Exception as error:
        # Operators are anyone's code, and cv2.error is an Exception: whatever they raise concerns this frame only.
        text = " ".join(str(error).split())
        raise FrameError(f"{type(error).__name__}: {text}", reason="operator_error", stage=stage) from error
    if result is frame or result is None:
        return frame if result is frame else None
    if not isinstance(result, Frame):
        raise _bad(f"returned a {type(result).__name__}, expected the frame or None", stage)
    if result.name != frame.name:
        raise _bad(f"was given {frame.name} and returned {result.name}", stage)
    if result.events[: len(frame.events)] != frame.events:
        raise _bad("took away events that others had found; with_events() adds to them", stage)
    if not result.has_image:
        raise _bad("returned a frame without a picture; with_image() gives it one", stage)
    if result.image is not frame.image:
        image = check_image(result.image, stage=stage)
        if image.shape[:2] != (result.height, result.width):
            raise _bad(f"returned {image.shape[1]}x{image.shape[0]} pixels as {result.width}x{result.height}", stage)
        image.flags.writeable = False
    return result


def _bad(message: str, stage: str) -> FrameError:
    return FrameError(message, reason="bad_result", stage=stage)
