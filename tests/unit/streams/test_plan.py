"""The plan of the decode: what it comes to, and that what comes out is what would have come of the whole picture."""

from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from frame_support import encoded_frame, picture

from producers.scene import Scene
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame
from streams.contract.images import Image, decode, encode, inspect
from streams.pipeline import Outcome, Pipeline
from streams.pipeline_settings import quick_pipeline

# Peak signal-to-noise ratio, in dB, against the unplanned result: docs/pipelines.md states these.
EXACT_SCALE_DB, OTHER_SCALE_DB, GRAY_DB = 45, 32, 50


def scene(width: int = 640, height: int = 360) -> Scene:
    return Scene("gate-1", size=(width, height), fps=15, seed=0)


SCENE = scene().draw(40)


def pipeline(*ops: str, **settings: Any) -> Pipeline:
    return Pipeline(quick_pipeline(ops, **settings))


def run(frame: Frame, *ops: str, **settings: Any) -> Outcome:
    return pipeline(*ops, **settings).open()(frame)


def both(frame: Frame, *ops: str) -> tuple[Frame, Frame]:
    """What comes out with the plan and without, as PNG, for that adds nothing of its own."""
    planned, unplanned = (run(frame, *ops, format="png", plan=plan).frame for plan in (True, False))
    assert planned is not None and unplanned is not None
    return planned, unplanned


def psnr(one: Frame, other: Frame) -> float:
    images = [decode(frame.data, mode="gray" if is_gray(frame) else "color") for frame in (one, other)]
    return float(cv2.PSNR(*images))


def is_gray(frame: Frame) -> bool:
    return cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_UNCHANGED).ndim == 2


def jpeg_of(image: Image, *, orientation: int = 1) -> bytes:
    data = encode(image, quality=90)
    tiff = b"MM\0*" + bytes([0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0])
    segment = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


def raw(data: bytes, sequence: int = 7) -> Frame:
    return to_frame(Record("frames.raw", 0, sequence, 1_700_000_000_000, b"gate-1", data, []))


def damaged(data: bytes) -> bytes:
    """Damaged within: its header and its end are as they were."""
    at = len(data) // 2
    return data[:at] + b"\xff\xd0\xff\xd3" * 20 + data[at + 80 :]


class TestWhatItComesTo:
    @pytest.mark.parametrize(
        ("ops", "settings", "size"),
        [
            (["resize:width=640"], {}, (640, 360)),
            (["resize:width=641"], {}, (1280, 720)),
            (["resize:width=600"], {}, (640, 360)),
            (["resize:width=320"], {}, (320, 180)),
            (["resize:width=300"], {}, (640, 360)),
            (["resize:width=240"], {}, (320, 180)),
            (["resize:height=90"], {}, (160, 90)),
            (["resize:width=10"], {}, (160, 90)),
            (["resize:width=320,height=400"], {}, (1280, 720)),
            (["resize:width=2000"], {}, (1280, 720)),
            (["motion:downscale=2"], {}, (640, 360)),
            (["motion"], {}, (320, 180)),
            (["motion", "resize:width=640"], {}, (640, 360)),
            (["resize:width=320", "motion", "blur", "annotate"], {}, (320, 180)),
            (["motion", "annotate"], {}, (1280, 720)),
            (["blur", "resize:width=320"], {}, (1280, 720)),
            (["flip", "resize:width=320"], {}, (1280, 720)),
            (["crop:w=0.5", "resize:width=320"], {}, (1280, 720)),
            (["motion"], {"format": "png"}, (1280, 720)),
            (["odd_operators:Odd", "resize:width=320"], {}, (320, 180)),
        ],
    )
    def test_the_scale_is_the_smallest_at_which_each_operator_finds_its_size(
        self, ops: list[str], settings: dict[str, Any], size: tuple[int, int]
    ) -> None:
        scale = pipeline(*ops, **settings).plan.scale(1280, 720)

        assert (1280 // scale, 720 // scale) == size

    @pytest.mark.parametrize(
        ("width", "height", "scale"), [(1280, 720, 4), (1284, 724, 4), (1282, 720, 2), (1281, 720, 1)]
    )
    def test_a_scale_leaves_no_part_of_a_pixel(self, width: int, height: int, scale: int) -> None:
        assert pipeline("resize:width=200").plan.scale(width, height) == scale

    @pytest.mark.parametrize(
        ("ops", "settings", "mode"),
        [
            (["grayscale"], {}, "gray"),
            (["threshold"], {}, "gray"),
            (["edges", "annotate"], {}, "gray"),
            (["resize:width=320", "flip", "blur", "grayscale"], {}, "gray"),
            (["odd_operators:Finds", "edges"], {"format": "keep"}, "gray"),
            (["resize:width=320"], {}, "color"),
            (["blur:kind=median", "grayscale"], {}, "color"),
            (["annotate", "grayscale"], {}, "color"),
            (["motion", "grayscale"], {}, "color"),
            (["odd_operators:Brightness"], {}, "gray"),
            (["odd_operators:Brightness", "flip"], {}, "color"),
            (["odd_operators:Brightness", "flip"], {"output": ""}, "gray"),
            (["odd_operators:Brightness"], {"format": "webp"}, "color"),
        ],
    )
    def test_gray_is_decoded_where_nobody_needs_colour(
        self, ops: list[str], settings: dict[str, Any], mode: str
    ) -> None:
        assert pipeline(*ops, **settings).plan.mode == mode

    @pytest.mark.parametrize(
        ("ops", "settings", "at"),
        [
            ([], {}, None),
            ([], {"format": "keep"}, None),
            ([], {"format": "png"}, 0),
            (["odd_operators:Odd", "odd_operators:Finds"], {}, None),
            (["odd_operators:Odd", "odd_operators:Finds"], {"format": "webp"}, 2),
            (["odd_operators:Odd", "blur"], {}, 1),
            (["motion", "odd_operators:Odd"], {"output": ""}, 0),
        ],
    )
    def test_it_is_decoded_when_the_first_looks_at_it(
        self, ops: list[str], settings: dict[str, Any], at: int | None
    ) -> None:
        assert pipeline(*ops, **settings).plan.at == at

    def test_it_says_why_not(self) -> None:
        plan = pipeline("odd_operators:Odd", "flip", "annotate").plan

        assert (plan.whole_because, plan.color_because) == ("1:flip looks at every pixel", "2:annotate needs colour")
        assert pipeline("resize:width=9", plan=False).plan.whole_because == "plan = false"

    @pytest.mark.parametrize(
        ("ops", "differs"),
        [(["resize:width=320"], True), (["grayscale"], True), (["motion"], True), (["blur"], False), ([], False)],
    )
    def test_the_hash_tells_where_it_makes_a_difference(self, ops: list[str], differs: bool) -> None:
        planned, unplanned = quick_pipeline(ops), quick_pipeline(ops, plan=False)

        assert (planned.hash != unplanned.hash) == differs


class TestTheSamePictureComesOut:
    @pytest.mark.parametrize("orientation", [1, 3, 6, 7])
    @pytest.mark.parametrize(
        ("part", "least"),
        [
            (1 / 2, EXACT_SCALE_DB),
            (1 / 8, EXACT_SCALE_DB),
            (0.47, OTHER_SCALE_DB),
            (0.3, OTHER_SCALE_DB),
            (0.1, OTHER_SCALE_DB),
        ],
    )
    def test_resized(self, part: float, least: float, orientation: int) -> None:
        frame = raw(jpeg_of(SCENE, orientation=orientation))

        planned, unplanned = both(frame, f"resize:width={round(frame.width * part)}")

        assert psnr(planned, unplanned) >= least
        assert (planned.width, planned.height) == (unplanned.width, unplanned.height)
        assert planned.raw_size == unplanned.raw_size == (frame.width, frame.height)
        assert np.array_equal(planned.to_raw, unplanned.to_raw)

    @pytest.mark.parametrize("ops", [["grayscale"], ["flip", "blur", "grayscale"], ["rotate:angle=30", "grayscale"]])
    def test_gray(self, ops: list[str]) -> None:
        planned, unplanned = both(raw(jpeg_of(SCENE, orientation=6)), *ops)

        assert is_gray(planned) and is_gray(unplanned)
        assert psnr(planned, unplanned) >= GRAY_DB

    def test_resized_and_gray(self) -> None:
        planned, unplanned = both(raw(jpeg_of(SCENE)), "resize:width=320", "grayscale")

        assert is_gray(planned)
        assert psnr(planned, unplanned) >= EXACT_SCALE_DB

    @pytest.mark.parametrize("ops", [["grayscale"], ["resize:width=640", "grayscale"]])
    def test_a_coloured_jpeg_becomes_gray_although_no_operator_has_anything_left_to_do(self, ops: list[str]) -> None:
        result = run(raw(jpeg_of(SCENE)), *ops).frame

        assert result is not None
        assert simplejpeg.decode_jpeg_header(result.data)[2] == "Gray"

    def test_a_gray_jpeg_keeps_its_bytes(self) -> None:
        frame = raw(encode(picture(gray=True)))

        result = run(frame, "grayscale").frame

        assert result is not None
        assert result.data is frame.data

    @pytest.mark.parametrize("content_type", ["image/png", "image/webp"])
    def test_other_formats_are_decoded_whole(self, content_type: str) -> None:
        planned, unplanned = both(encoded_frame(SCENE, content_type), "resize:width=320", "grayscale")

        assert planned.data == unplanned.data

    def test_without_a_plan_it_is_the_whole_picture_averaged(self) -> None:
        frame = raw(jpeg_of(SCENE))

        result = run(frame, "resize:width=320", format="png", plan=False).frame

        assert result is not None
        averaged = cv2.resize(decode(frame.data), (320, 180), interpolation=cv2.INTER_AREA)
        assert np.array_equal(decode(result.data), averaged)

    @pytest.mark.parametrize("op", ["odd_operators:Scribbles", "odd_operators:Negative"])
    def test_an_operator_that_asks_for_more_than_it_has_said_gets_it(self, op: str) -> None:
        frame = raw(jpeg_of(SCENE))
        assert pipeline("motion", op, output="").plan.scale(640, 360) > 1

        if op.endswith("Scribbles"):
            with pytest.raises(FrameError, match="read-only"):
                run(frame, "motion", op, output="")
        else:
            result = run(frame, "motion", op, format="png").frame
            assert result is not None
            assert np.array_equal(decode(result.data), 255 - decode(frame.data))


class TestTheSameMotionIsFound:
    @pytest.mark.parametrize("op", ["motion", "motion:downscale=3", "motion:zones=[[[0.1,0.3],[0.9,0.4],[0.5,1]]]"])
    def test_in_the_same_frames_and_places(self, op: str) -> None:
        drawn = scene(1280, 720)
        frames = [raw(encode(drawn.draw(number)), number) for number in range(0, 120, 3)]
        # Nothing moves in the first half.
        frames[:20] = [raw(frames[0].data, number) for number in range(20)]

        planned, unplanned = (
            [outcome.events for outcome in map(pipeline(op, output="", plan=plan).open(), frames)]
            for plan in (True, False)
        )

        assert [bool(found) for found in planned] == [bool(found) for found in unplanned]
        assert {bool(found) for found in unplanned} == {True, False}
        for one, other in zip(planned, unplanned, strict=True):
            assert len(one) == len(other)
            for found, expected in zip(one, other, strict=True):
                first, same = found.event.data.boxes[0], expected.event.data.boxes[0]
                assert np.allclose([first.x, first.y, first.w, first.h], [same.x, same.y, same.w, same.h], atol=0.02)

    @pytest.mark.parametrize("format", ["jpeg", "keep"])
    def test_and_the_cameras_bytes_go_out(self, format: str) -> None:
        frame = raw(jpeg_of(SCENE))

        result = run(frame, "motion", format=format, quality=10).frame

        assert result is not None
        assert result.data is frame.data
        assert (result.width, result.height) == (640, 360)


class TestWhatIsNeverDecoded:
    FILTER = ("odd_operators:Finds", "odd_operators:Odd")

    def test_damage_within_is_not_seen(self) -> None:
        frame = raw(damaged(jpeg_of(SCENE)))

        outcome = run(frame, *self.FILTER)

        assert outcome.frame is not None
        assert outcome.frame.data is frame.data
        for settings in ({"plan": False}, {"format": "png"}):
            with pytest.raises(FrameError) as caught:
                run(frame, *self.FILTER, **settings)
            assert caught.value.reason == "undecodable"

    @pytest.mark.parametrize("cut", [2, 400])
    @pytest.mark.parametrize("orientation", [1, 6])
    def test_but_an_end_that_is_missing_is(self, cut: int, orientation: int) -> None:
        with pytest.raises(FrameError) as caught:
            run(raw(jpeg_of(SCENE, orientation=orientation)[:-cut]), *self.FILTER)

        assert (caught.value.reason, caught.value.stage) == ("undecodable", "decode")

    def test_an_end_that_a_thumbnail_has_does_not_count(self) -> None:
        thumbnail, data = encode(picture()), encode(SCENE)
        segment = b"Exif\0\0MM\0*" + thumbnail
        whole = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]

        assert run(raw(whole + b"bytes of the camera's own"), *self.FILTER).frame is not None
        with pytest.raises(FrameError, match="ends early"):
            run(raw(whole[:-400]), *self.FILTER)

    def test_what_a_filter_leaves_out_is_not_decoded(self) -> None:
        frame = raw(damaged(jpeg_of(SCENE)), sequence=8)

        outcome = run(frame, "odd_operators:Odd", "blur")

        assert outcome.frame is None
        assert list(outcome.seconds) == ["0:odd_operators:Odd"]

    def test_what_a_filter_lets_pass_is_decoded_after_it(self) -> None:
        outcome = run(raw(jpeg_of(SCENE), sequence=7), "odd_operators:Odd", "blur")

        assert list(outcome.seconds) == ["0:odd_operators:Odd", "decode", "1:blur", "encode"]

    def test_a_picture_that_cannot_be_decoded_is_none_of_the_operators_fault(self) -> None:
        with pytest.raises(FrameError) as caught:
            run(raw(damaged(jpeg_of(SCENE))), "odd_operators:Negative")

        assert (caught.value.reason, caught.value.stage) == ("undecodable", "decode")


@pytest.mark.parametrize("ops", [["resize:width=320"], ["resize:width=320", "grayscale"], ["motion"], ["blur"]])
def test_damage_is_seen_at_every_scale(ops: list[str]) -> None:
    for data in (damaged(jpeg_of(SCENE)), jpeg_of(SCENE)[:-400]):
        with pytest.raises(FrameError) as caught:
            run(raw(data), *ops)
        assert (caught.value.reason, caught.value.stage) == ("undecodable", "decode")


def test_a_header_without_a_frame_does_no_harm() -> None:
    frame = raw(jpeg_of(SCENE))

    assert frame.header == inspect(frame.data)
    assert run(frame.changed(header=None), "resize:width=320").frame is not None
