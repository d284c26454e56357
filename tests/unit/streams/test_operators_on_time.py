"""Operators on time in a pipeline: what moves is followed and counted, and a replay says just the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import pytest
from footage import box_jpegs
from frame_support import CAPTURED_AT_NS
from square_scene import HEIGHT, WIDTH, square_scene

from streams.contract.events import encode_event
from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.images import encode
from streams.pipeline import Pipeline, Run
from streams.pipeline_settings import quick_pipeline

FPS = 10
EPOCH = "20260102T030405678-abcd"
OPERATORS = (
    "motion:warmup=5,history=20",
    "track:memory_frames=40",
    "line_count:lines=[[[0.5, 0], [0.5, 1]]],names=['middle']",
    "dwell:zones=[[[0.5, 0], [1, 0], [1, 1], [0.5, 1]]],after_ms=1500",
    "stabilize:smooth_frames=10",
)
Told = list[tuple[int, str, Any]]


def frames_of(jpegs: Iterable[bytes], *, size: tuple[int, int] = (WIDTH, HEIGHT), fps: float = FPS) -> list[Frame]:
    return [
        Frame(
            camera_id="gate-1",
            epoch=EPOCH,
            sequence=index,
            captured_at_ns=CAPTURED_AT_NS + round(index * 1e9 / fps),
            width=size[0],
            height=size[1],
            data=data,
            input=f"frames.raw/0/{index}",
        )
        for index, data in enumerate(jpegs)
    ]


def published(run: Run, frames: Sequence[Frame], *, pipeline: Pipeline) -> list[object]:
    """All that goes out, to the last byte, but for the times of processing."""
    out: list[object] = []
    for frame in frames:
        outcome = run(frame)
        for found in outcome.events:
            index, number = found.operator_index, found.number
            out.append(encode_event(found.event, frame, pipeline=pipeline.label, operator_index=index, number=number))
        if outcome.frame is not None:
            out.append((outcome.frame.data, to_headers(outcome.frame)))
    return out


def told(pipeline: Pipeline, frames: Sequence[Frame]) -> Told:
    run = pipeline.open()
    return [(frame.sequence, each.event.type, each.event.data) for frame in frames for each in run(frame).events]


def of_type(type: str, events: Told) -> list[tuple[int, Any]]:
    """The frame's number and the data of each."""
    return [(index, data) for index, each, data in events if each == type]


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return frames_of(encode(image, quality=90) for image in square_scene(150))


def test_what_passes_is_counted_and_its_stay_is_told(frames: list[Frame]) -> None:
    events = told(Pipeline(quick_pipeline(OPERATORS)), frames)

    # The upper one goes to the right: to the left of one who looks down along the line. They are there at step 13.
    crossings = [(index, data.direction, data.boxes[0].y < 0.5) for index, data in of_type("line", events)]
    assert sorted((direction, upper) for _, direction, upper in crossings) == [("in", False)] * 3 + [("out", True)] * 3
    assert all(abs(index % 50 - 23) <= 2 for index, *_ in crossings)
    stays = [data for _, data in of_type("dwell", events)]
    assert sorted(stay.state for stay in stays) == ["entered"] * 6 + ["left"] * 6
    # Half of the way takes 1.4 s at most, so nothing has stayed.
    assert all(1000 <= stay.ms <= 1450 for stay in stays if stay.state == "left")
    assert len({box.track for _, data in of_type("track", events) for box in data.boxes}) == 6


def test_a_replay_publishes_the_same_to_the_last_byte_with_any_number_of_threads(frames: list[Frame]) -> None:
    threads, runs = cv2.getNumThreads(), []
    pipeline = Pipeline(quick_pipeline(OPERATORS))
    try:
        for number in (1, 1, 4):
            cv2.setNumThreads(number)
            runs.append(published(pipeline.open(), frames, pipeline=pipeline))
    finally:
        cv2.setNumThreads(threads)

    assert len(runs[0]) > 300
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize("first", [105, 125], ids=["while nothing moves", "while something passes"])
def test_a_worker_that_takes_over_publishes_the_same(first: int, frames: list[Frame]) -> None:
    # What `motion` has learnt hangs on all that it has seen; what the others know, on their memory alone.
    pipeline = Pipeline(quick_pipeline(("square_scene:Squares", *OPERATORS[1:])))
    whole = published(pipeline.open(), frames, pipeline=pipeline)
    later = pipeline.open()
    for frame in frames[first - pipeline.memory_frames : first]:
        later.remember(frame)

    rest = published(later, frames[first:], pipeline=pipeline)

    assert rest == whole[-len(rest) :] and len(rest) > 2 * len(frames[first:])


def test_a_timelapse_decodes_only_what_it_lets_pass(frames: list[Frame]) -> None:
    pipeline = Pipeline(quick_pipeline(("timelapse:every_s=2", "resize:width=160")))
    run = pipeline.open()

    outcomes = [run(frame) for frame in frames]

    assert pipeline.plan.at == 1
    # CAPTURED_AT_NS is 5.6789 s after a full minute: the next even second comes 0.3211 s later.
    assert [index for index, outcome in enumerate(outcomes) if outcome.frame] == [0, *range(4, 150, 20)]
    assert {tuple(outcome.seconds) for outcome in outcomes if not outcome.frame} == {("0:timelapse",)}


def test_footage_is_followed_and_counted_the_same_each_time() -> None:
    """A hand moves a box."""
    frames = frames_of(box_jpegs()[:300], size=(640, 480), fps=30)
    pipeline = Pipeline(quick_pipeline(("motion:min_area=0.01", *OPERATORS[1:4]), output=""))

    events = told(pipeline, frames)

    tracks = of_type("track", events)
    followed = {index for index, data in tracks if data.boxes}
    frames_by_id = Counter(box.track for _, data in tracks for box in data.boxes)
    # But for the first frames of each, before they count.
    assert len(followed) > 0.95 * len(of_type("motion", events)) > 150
    assert len(frames_by_id) < 15 and max(frames_by_id.values()) > 100
    assert told(pipeline, frames) == events
