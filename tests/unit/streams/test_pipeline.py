from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import simplejpeg
from frame_support import encoded_frame, frame_of, picture

from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.images import decode, inspect
from streams.pipeline import FoundEvent, Outcome, Pipeline
from streams.pipeline_settings import quick_pipeline


def pipeline(*ops: str, **settings: Any) -> Pipeline:
    return Pipeline(quick_pipeline(ops, **settings))


def run(frame: Frame, *ops: str, **settings: Any) -> Outcome:
    return pipeline(*ops, **settings).open()(frame)


def published(frame: Frame, *ops: str, **settings: Any) -> Frame:
    outcome = run(frame, *ops, **settings)
    assert outcome.frame is not None
    return outcome.frame


def failure(frame: Frame, *ops: str, **settings: Any) -> FrameError:
    with pytest.raises(FrameError) as caught:
        run(frame, *ops, **settings)
    return caught.value


class TestWhatGoesOut:
    def test_the_operators_in_their_order(self) -> None:
        frame = encoded_frame(picture(80, 60))

        result = published(frame, "crop:w=0.5", "resize:width=20", "rotate", quality=95)

        header = inspect(result.data)
        assert (header.width, header.height) == (result.width, result.height) == (30, 20)
        expected = pipeline("crop:w=0.5", "resize:width=20", "rotate", format="png").open()(frame).frame
        assert expected is not None
        difference = np.abs(decode(result.data).astype(int) - decode(expected.data).astype(int))
        assert difference.mean() < 6

    def test_it_is_signed_by_the_pipeline_and_named_as_before(self) -> None:
        frame = encoded_frame(picture(), traceparent="00-ab-cd-01")
        made = pipeline("grayscale", name="privacy")

        result = made.open()(frame).frame

        assert result is not None
        assert result.source == "/pipelines/privacy"
        assert result.pipeline == made.label == made.settings.label
        assert result.pipeline.startswith("privacy@")
        assert (result.name, result.captured_at_ns, result.traceparent) == (
            frame.name,
            frame.captured_at_ns,
            frame.traceparent,
        )

    def test_an_untouched_picture_keeps_its_bytes(self) -> None:
        frame = encoded_frame(picture())

        result = published(frame, "odd_operators:Finds", "resize:width=64", quality=10)

        assert result.data is frame.data

    def test_no_operator_at_all(self) -> None:
        frame = encoded_frame(picture())

        assert published(frame).data is frame.data

    def test_an_untouched_picture_of_another_format_is_encoded(self) -> None:
        image = picture()

        result = published(encoded_frame(image, "image/png"))

        assert result.content_type == "image/jpeg"
        assert result.data[:3] == b"\xff\xd8\xff"

    @pytest.mark.parametrize("given", ["image/jpeg", "image/png", "image/webp"])
    @pytest.mark.parametrize("format", ["jpeg", "png", "webp", "keep"])
    def test_formats(self, given: str, format: str) -> None:
        result = published(encoded_frame(picture(), given), "flip", format=format)

        assert result.content_type == (given if format == "keep" else f"image/{format}")
        assert inspect(result.data).content_type == result.content_type

    def test_png_loses_nothing(self) -> None:
        image = picture()

        result = published(encoded_frame(image, "image/png"), "flip", format="png")

        assert np.array_equal(decode(result.data), image[:, ::-1])

    def test_quality_counts(self) -> None:
        frame = encoded_frame(picture(320, 240))

        assert len(published(frame, "flip", quality=20).data) < len(published(frame, "flip", quality=95).data)

    def test_gray_goes_out_as_gray_jpeg(self) -> None:
        result = published(encoded_frame(picture()), "grayscale")

        assert simplejpeg.decode_jpeg_header(result.data)[2] == "Gray"

    def test_pixels_are_let_go(self) -> None:
        assert not published(encoded_frame(picture()), "flip").has_image

    def test_without_output_nothing_is_encoded(self) -> None:
        outcome = run(encoded_frame(picture()), "flip", "odd_operators:Finds", output="")

        assert outcome.frame is not None
        assert outcome.frame.data == b""
        assert "encode" not in outcome.seconds
        assert len(outcome.events) == 1

    def test_a_frame_that_is_decoded_already_is_not_decoded_again(self) -> None:
        result = published(frame_of(picture()), "flip", format="png")

        assert np.array_equal(decode(result.data), picture()[:, ::-1])

    def test_a_size_that_the_header_had_wrong_is_put_right(self) -> None:
        frame = encoded_frame(picture(80, 60))

        result = published(Frame(**(fields(frame) | {"width": 60, "height": 80})))

        assert (result.width, result.height, result.raw_size) == (80, 60, (80, 60))


def fields(frame: Frame) -> dict[str, Any]:
    names = ("camera_id", "epoch", "sequence", "captured_at_ns", "width", "height", "data")
    return {name: getattr(frame, name) for name in names}


class TestEventsAndFilters:
    def test_events_are_numbered_by_operator_and_within_the_frame(self) -> None:
        outcome = run(encoded_frame(picture()), "odd_operators:Finds:count=2", "flip", "odd_operators:Finds")

        assert [(found.operator_index, found.number) for found in outcome.events] == [(0, 0), (0, 1), (2, 0)]
        assert [found.event.data["number"] for found in outcome.events] == [0, 1, 0]
        assert all(isinstance(found, FoundEvent) for found in outcome.events)

    def test_a_frame_filtered_out_keeps_what_was_found_before(self) -> None:
        outcome = run(
            encoded_frame(picture(), sequence=8), "odd_operators:Finds", "odd_operators:Odd", "odd_operators:Raises"
        )

        assert outcome.frame is None
        assert len(outcome.events) == 1
        assert list(outcome.seconds) == ["decode", "0:odd_operators:Finds", "1:odd_operators:Odd"]

    def test_memory_is_that_of_the_operator_that_looks_back_furthest(self) -> None:
        made = pipeline("odd_operators:Counts:frames=4", "motion:history=50", "flip")

        assert (made.has_memory, made.memory_frames) == (True, 50)
        assert (pipeline("flip").has_memory, pipeline("flip").memory_frames) == (False, 0)

    def test_each_open_remembers_for_itself(self) -> None:
        made = pipeline("odd_operators:Counts")
        first, second = made.open(), made.open()
        frame = encoded_frame(picture())

        seen = [run(frame).events[0].event.data["seen"] for run in (first, first, second)]

        assert seen == [1, 2, 1]

    def test_what_an_operator_remembers_is_carried_on_under_other_settings(self) -> None:
        before, after = pipeline("odd_operators:Counts", "flip"), pipeline("odd_operators:Counts", "flip", format="png")
        run = before.open()
        frame = encoded_frame(picture())
        run(frame)

        outcome = after.continued(run)(frame)

        assert after.has_operators_of(before)
        assert not after.has_operators_of(pipeline("odd_operators:Counts", "flip:direction=vertical"))
        assert outcome.events[0].event.data["seen"] == 2
        assert outcome.frame is not None
        assert (outcome.frame.pipeline, outcome.frame.content_type) == (after.label, "image/png")

    def test_without_memory_one_serves_many_threads(self) -> None:
        run = pipeline("crop:x=0.1", "rotate:angle=10", "pixelate:zones=[[[0,0],[1,0],[0,1]]]", "annotate").open()
        frames = [encoded_frame(picture(seed=seed), sequence=seed) for seed in range(6)]
        alone = [run(frame).frame for frame in frames]

        with ThreadPoolExecutor(4) as pool:
            together = [outcome.frame for outcome in pool.map(run, frames * 5)]

        assert [frame.data for frame in together if frame] == [frame.data for frame in alone * 5 if frame]


class TestTimes:
    def test_each_stage_is_timed(self) -> None:
        ticks = iter([0.0, 1.0, 3.0, 7.0, 15.0])
        made = Pipeline(quick_pipeline(["flip", "grayscale"]), clock=lambda: next(ticks))

        outcome = made.open()(encoded_frame(picture()))

        assert outcome.seconds == {"decode": 1.0, "0:flip": 2.0, "1:grayscale": 4.0, "encode": 8.0}


class TestFailures:
    @pytest.mark.parametrize(
        ("data", "reason", "stage"),
        [
            (b"", "empty", "gate"),
            (b"hello, world", "not_an_image", "gate"),
            (encoded_frame(picture(320, 240)).data[:-400], "undecodable", "decode"),
        ],
    )
    def test_bytes_that_are_no_picture(self, data: bytes, reason: str, stage: str) -> None:
        error = failure(Frame(**(fields(encoded_frame(picture())) | {"data": data})))

        assert (error.reason, error.stage) == (reason, stage)

    def test_too_many_pixels(self) -> None:
        error = failure(encoded_frame(picture(80, 60)), max_pixels=4799)

        assert (error.reason, error.stage) == ("too_many_pixels", "gate")

    @pytest.mark.parametrize(
        ("op", "told"),
        [
            ("odd_operators:Raises", "ZeroDivisionError: frame 7 by nothing"),
            ("odd_operators:RaisesInOpenCV", "error: OpenCV"),
            ("odd_operators:Scribbles", "ValueError: assignment destination is read-only"),
        ],
    )
    def test_an_operator_that_raises(self, op: str, told: str) -> None:
        error = failure(encoded_frame(picture()), "flip", op)

        assert (error.reason, error.stage) == ("operator_error", f"1:{op}")
        assert str(error).startswith(told)
        assert error.__cause__ is not None

    @pytest.mark.parametrize(
        ("what", "told"),
        [
            ("text", "returned a str"),
            ("picture", "returned a ndarray"),
            ("another frame", "was given gate-1/20260102T030405678-abcd/7 and returned gate-1/.*/8"),
            ("another camera", "returned other/"),
            ("floats", "found float64"),
            ("nothing to see", "found uint8"),
            ("no picture", "without a picture"),
            ("another size", "returned 9x9 pixels as 8x9"),
            ("fewer events", "took away events"),
        ],
    )
    def test_an_operator_that_returns_what_none_may(self, what: str, told: str) -> None:
        ops: Sequence[str] = ("odd_operators:Finds", f'odd_operators:Returns:what="{what}"')

        with pytest.raises(FrameError, match=told) as caught:
            run(encoded_frame(picture()), *ops)

        assert (caught.value.reason, caught.value.stage) == ("bad_result", "1:odd_operators:Returns")

    @pytest.mark.parametrize("before", [(), ("flip",), ("odd_operators:Finds",)])
    def test_nobody_writes_into_a_picture(self, before: tuple[str, ...]) -> None:
        image = picture()

        for frame in (encoded_frame(image), frame_of(image)):
            error = failure(frame, *before, "odd_operators:Scribbles")

            assert (error.reason, error.stage) == ("operator_error", f"{len(before)}:odd_operators:Scribbles")
        assert np.array_equal(image, picture())

    def test_a_frame_that_failed_leaves_the_next_alone(self) -> None:
        run = pipeline("resize:width=640").open()
        tall = encoded_frame(picture(1, 20_000), "image/png")

        with pytest.raises(FrameError, match="1x20000 would become 640x12800000"):
            run(tall)

        assert run(encoded_frame(picture())).frame is not None


class TestRemembering:
    def test_a_frame_that_is_only_remembered_counts_for_the_memory(self) -> None:
        opened = pipeline("odd_operators:Counts", "flip").open()
        for sequence in range(3):
            opened.remember(encoded_frame(picture(), sequence=sequence))

        (found,) = opened(encoded_frame(picture(), sequence=3)).events

        assert found.event.data == {"seen": 4}

    def test_what_comes_after_the_last_memory_is_left_out(self) -> None:
        opened = pipeline("odd_operators:Counts", "odd_operators:Raises").open()

        opened.remember(encoded_frame(picture()))

        with pytest.raises(FrameError, match="by nothing"):
            opened(encoded_frame(picture()))

    def test_what_comes_before_it_is_not(self) -> None:
        opened = pipeline("odd_operators:Odd", "odd_operators:Counts").open()
        for sequence in range(4):
            opened.remember(encoded_frame(picture(), sequence=sequence))

        (found,) = opened(encoded_frame(picture(), sequence=5)).events

        assert found.event.data == {"seen": 3}
