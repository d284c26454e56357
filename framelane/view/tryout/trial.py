"""The operators of one try-out: made, run on frames, and made anew with what came before fresh in mind."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import msgspec

from consumers.view.pipelines.tryout import Picture, Tried, TryEvent, Wrong
from framelane.view.tryout.messages import Entry, Made, Make, Run
from streams.contract.errors import FrameError, SettingError
from streams.contract.frame import Frame
from streams.contract.geometry import WHOLE, as_fractions
from streams.contract.images import CONTENT_TYPES, MAX_PIXELS, decode, encode, inspect, shrink
from streams.contract.settings_values import convert, shown
from streams.contract.topics import PROCESSED
from streams.operators import OPERATORS
from streams.operators.base import Opened, Operator
from streams.operators.parameters import make_operator
from streams.pipeline import Pipeline
from streams.pipeline import Run as PipelineRun
from streams.pipeline_settings import OperatorSettings, PipelineSettings
from streams.settings_rules import wrong_values

# Frames that operators with memory are shown again when they are made anew.
_KEPT_FRAMES, _KEPT_BYTES, _REPLAY_S = 48, 24 * 1024 * 1024, 1.0
# More is shown smaller: nobody's screen has more.
_SHOWN_PIXELS = 3840 * 2160
_DEFAULTS = {field.name: field.default for field in fields(PipelineSettings)} | {"name": "try"}


class Trial:
    """Runs in a process of its own. at: is told the place of each operator before it gets a frame."""

    def __init__(self, at: Callable[[int], None]) -> None:
        self._at = at
        self._places: list[int] = []
        self._pipeline: Pipeline | None = None
        self._run: PipelineRun | None = None
        self._kept: deque[Frame] = deque(maxlen=_KEPT_FRAMES)
        self._watched: _Seen | None = None

    def make(self, asked: Make) -> Made:
        """Make the operators, or say what is wrong."""
        self._pipeline = self._run = None
        wrong = [mistake for entry in asked.operators for mistake in _mistakes(entry)]
        values, mistakes = convert(PipelineSettings, {"name": "try"} | asked.pipeline)
        wrong += [Wrong(key=mistake.key, message=mistake.message) for mistake in mistakes]
        wrong += [
            Wrong(key=key, message=f"= {shown(values.get(key))}: expected {expected}")
            for key, expected in wrong_values(_DEFAULTS | values).items()
        ]
        if wrong:
            return Made(wrong=wrong)
        operators = tuple(OperatorSettings(entry.op, entry.parameters) for entry in asked.operators)
        try:
            settings = PipelineSettings(**values, operators=operators)
            # Events alone have no picture to be shown.
            with_picture = replace(settings, output=settings.output or PROCESSED, max_pixels=MAX_PIXELS)
            self._pipeline = Pipeline(with_picture)
            label = settings.hash
        except SettingError as error:
            return Made(wrong=[Wrong(message=str(error))])
        self._places = [entry.place for entry in asked.operators]
        return Made(wrong=[], hash=label if asked.whole else "")

    def run(self, asked: Run) -> Tried:
        """What becomes of the frame; whatever goes wrong is in the answer."""
        assert self._pipeline is not None
        tried = Tried(frame=f"{asked.camera_id}/{asked.epoch}/{asked.sequence}", captured_ms=asked.captured_at_ns / 1e6)
        try:
            frame = _frame(asked)
            run = self._opened(self._pipeline, frame)
            self._watched = _Seen(asked.see)
            outcome = run(frame)
        except FrameError as error:
            tried.failed = Wrong(operator=self._place_of(error.stage), message=str(error))
            return self._with_view(tried)
        self._keep(frame)
        tried.events = [
            TryEvent(
                operator=self._places[found.operator_index],
                type=found.event.type,
                data=msgspec.to_builtins(found.event.data),
            )
            for found in outcome.events
        ]
        tried.ms = {self._stage(name): 1000 * seconds for name, seconds in outcome.seconds.items()}
        if outcome.frame is None:
            tried.filtered_by = self._place_of(list(outcome.seconds)[-1])
        else:
            tried.after, note = _shown(outcome.frame, self._pipeline.settings)
            tried.notes += [note] if note else []
        return self._with_view(tried)

    def _opened(self, pipeline: Pipeline, frame: Frame) -> PipelineRun:
        """The operators, made anew where they have seen this frame, or another camera's; they learn from those before.

        One that has memory has to be shown frames in order, and each of them once.
        """
        last = self._kept[-1] if self._kept else None
        if last is not None and (last.camera_id, last.epoch) != (frame.camera_id, frame.epoch):
            self._kept.clear()
            self._run = None
        elif last is not None and pipeline.has_memory and last.sequence >= frame.sequence:
            self._run = None
        if self._run is None:
            self._watched = None
            built = [_Watched(operator, n, self) for n, operator in enumerate(pipeline.operators)]
            self._run = _open(pipeline, built)
            if pipeline.has_memory:
                self._replay(self._run, frame)
        return self._run

    def _replay(self, run: PipelineRun, frame: Frame) -> None:
        end = time.monotonic() + _REPLAY_S
        for old in list(self._kept):
            if old.sequence >= frame.sequence or time.monotonic() > end:
                break
            run.remember(old)

    def _keep(self, frame: Frame) -> None:
        if self._kept and self._kept[-1].sequence >= frame.sequence:
            return
        self._kept.append(frame)
        while sum(len(each.data) for each in self._kept) > _KEPT_BYTES:
            self._kept.popleft()

    def seen_by(self, index: int, frame: Frame) -> None:
        """An operator is about to be given the frame."""
        place = self._places[index]
        self._at(place)
        if self._watched is not None and self._watched.place == place:
            self._watched.frame = frame

    def _with_view(self, tried: Tried) -> Tried:
        if self._watched is not None and self._watched.frame is not None:
            frame = self._watched.frame
            data = encode(shrink(frame.image, *_fitting(frame.width, frame.height)), quality=90)
            tried.before = _picture(frame, data, "image/jpeg")
        return tried

    def _stage(self, name: str) -> str:
        index, colon, op = name.partition(":")
        return f"{self._places[int(index)]}:{op}" if colon and index.isdecimal() else name

    def _place_of(self, stage: str) -> int | None:
        index = stage.partition(":")[0]
        return self._places[int(index)] if index.isdecimal() else None


@dataclass(slots=True)
class _Seen:
    """The view of one operator."""

    place: int | None
    frame: Frame | None = None


class _Watched:
    """An operator that tells when it is given a frame."""

    def __init__(self, operator: Operator, index: int, trial: Trial) -> None:
        self._operator, self._index, self._trial = operator, index, trial
        self.memory_frames, self.needs = operator.memory_frames, operator.needs
        self.changes_image = operator.changes_image

    def open(self) -> Opened:
        """The operator's function."""
        operate = self._operator.open()

        def watched(frame: Frame) -> Frame | None:
            self._trial.seen_by(self._index, frame)
            return operate(frame)

        return watched


def _open(pipeline: Pipeline, operators: list[_Watched]) -> PipelineRun:
    """The pipeline opened with these in place of its operators, which are the same but for being watched."""
    own, pipeline.operators = pipeline.operators, list[Operator](operators)
    try:
        return pipeline.open()
    finally:
        pipeline.operators = own


def _mistakes(entry: Entry) -> list[Wrong]:
    made, mistakes = make_operator(OPERATORS[entry.op], entry.parameters)
    if made is not None:
        return []
    return [Wrong(operator=entry.place, key=mistake.key, message=mistake.message) for mistake in mistakes]


def _frame(asked: Run) -> Frame:
    """The frame as a worker would read it. Raises FrameError for what is no image."""
    header = inspect(asked.data)
    width, height = header.upright
    return Frame(
        camera_id=asked.camera_id,
        epoch=asked.epoch,
        sequence=asked.sequence,
        captured_at_ns=asked.captured_at_ns,
        width=width,
        height=height,
        content_type=header.content_type,
        data=asked.data,
        header=header,
    )


def _shown(frame: Frame, settings: PipelineSettings) -> tuple[Picture, str]:
    """The picture as it would be published; a larger one than can be looked at, smaller, with a note of it."""
    fitting = _fitting(frame.width, frame.height)
    if fitting == (frame.width, frame.height):
        return _picture(frame, frame.data, frame.content_type), ""
    content_type = CONTENT_TYPES.get(settings.format, "image/jpeg")
    # It has been made here, so its size is what is bearable.
    image = decode(frame.data, max_pixels=frame.width * frame.height)
    smaller = encode(shrink(image, *fitting), content_type, quality=settings.quality)
    across, down = fitting
    note = f"the picture is {frame.width}x{frame.height}; it is shown as {across}x{down}"
    return _picture(frame, smaller, content_type), note


def _fitting(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, (_SHOWN_PIXELS / (width * height)) ** 0.5)
    return max(1, int(width * scale)), max(1, int(height * scale))


def _picture(frame: Frame, data: bytes, content_type: str) -> Picture:
    return Picture(
        content_type=content_type,
        width=frame.width,
        height=frame.height,
        data=data,
        to_raw=list(as_fractions(frame) or WHOLE),
    )
