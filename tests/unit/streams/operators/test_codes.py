from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from frame_support import frame_of

from streams.contract.event_types import CodeFound
from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.operators.checks import ParameterError
from streams.operators.codes import Codes
from streams.operators.crop import Crop
from streams.operators.resize import Resize
from streams.operators.rotate import Rotate

WIDTH, HEIGHT = 480, 320
BOTH = ("qr", "aruco")


def qr(text: str | bytes, *, module: int = 4, mode: int = cv2.QRCodeEncoder_MODE_AUTO) -> Image:
    """A QR code without its margin; module: pixels of its smallest square."""
    parameters = cv2.QRCodeEncoder_Params()
    parameters.mode = mode
    # It takes bytes where its types say text.
    encoded = cv2.QRCodeEncoder.create(parameters).encode(text)[2:-2, 2:-2]  # type: ignore[arg-type]
    return np.kron(encoded, np.ones((module, module), np.uint8))


def marker(number: int, *, side: int = 90, dictionary: int = cv2.aruco.DICT_4X4_50) -> Image:
    image: Image = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(dictionary), number, side)  # type: ignore[assignment]
    return image


def scene(*codes: tuple[Image, int, int]) -> Image:
    """A white page with codes; x, y: of their upper left corners."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for code, x, y in codes:
        image[y : y + code.shape[0], x : x + code.shape[1]] = code[:, :, None]
    return image


def found(operator: Codes, frame: Frame) -> list[CodeFound]:
    result = operator.open()(frame)
    assert result is not None
    assert all(event.type == "code" and isinstance(event.data, CodeFound) for event in result.events)
    return [event.data for event in result.events]


def pixels(points: Any, width: int = WIDTH, height: int = HEIGHT) -> "np.ndarray":
    return np.array(points) * (width, height)


def corners_of(x: float, y: float, side: float) -> "np.ndarray":
    """Clockwise from the upper left."""
    return np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])


@pytest.mark.parametrize("text", ["framelane/gate-1", "Tür 7 ✓", "https://example.com/?a=1&b=2"])
def test_reads_a_qr_code(text: str) -> None:
    code = qr(text)

    (event,) = found(Codes(), frame_of(scene((code, 60, 40))))

    assert (event.kind, event.text) == ("qr", text)
    assert np.allclose(pixels(event.corners), corners_of(60, 40, code.shape[0]), atol=2)
    (box,) = event.boxes
    assert box.label == text
    assert np.allclose(pixels([(box.x, box.y), (box.w, box.h)]), [(60, 40), code.shape[::-1]], atol=3)


@pytest.mark.parametrize(("text", "blur"), [("pallet 0", 0.0), ("pallet 1", 1.0)])
def test_reads_what_only_one_of_the_readers_reads_and_once_what_both_do(text: str, blur: float) -> None:
    image = scene((qr(text), 60, 40), (qr("read by both", module=6), 250, 120))
    if blur:
        image = cv2.GaussianBlur(image, (0, 0), blur)  # type: ignore[assignment]

    events = found(Codes(), frame_of(image))

    assert [event.text for event in events] == [text, "read by both"]


def test_a_code_that_cannot_be_read_is_no_event_and_keeps_none_from_being_read() -> None:
    spoilt = qr("spoilt", module=6).copy()
    inside = spoilt[9 * 6 :, 9 * 6 :]
    inside[:] = np.where(np.random.default_rng(1).random(inside.shape) < 0.5, 0, 255)

    events = found(Codes(), frame_of(scene((spoilt, 60, 40), (qr("sound"), 300, 100))))

    assert [event.text for event in events] == ["sound"]


def test_two_codes_that_say_the_same_are_two() -> None:
    events = found(Codes(), frame_of(scene((qr("twin", module=6), 20, 20), (qr("twin", module=6), 250, 120))))

    assert [event.text for event in events] == ["twin", "twin"]
    assert events[0].boxes[0].x < events[1].boxes[0].x


def test_reads_a_marker() -> None:
    (event,) = found(Codes(kinds=("aruco",)), frame_of(scene((marker(7), 200, 100))))

    assert (event.kind, event.text, event.boxes[0].label) == ("aruco", "7", "7")
    assert np.allclose(pixels(event.corners), corners_of(200, 100, 90), atol=1.5)


def test_an_event_for_each_code_in_an_order_of_their_own() -> None:
    frame = frame_of(scene((qr("b"), 20, 20), (qr("a"), 300, 180), (marker(3), 200, 30), (marker(2), 30, 200)))

    events = found(Codes(kinds=BOTH), frame)

    assert [(event.kind, event.text) for event in events] == [("aruco", "2"), ("aruco", "3"), ("qr", "a"), ("qr", "b")]
    assert [event.text for event in found(Codes(), frame)] == ["a", "b"]
    assert [event.text for event in found(Codes(kinds=("aruco",)), frame)] == ["2", "3"]


@pytest.mark.parametrize("angle", [90, 180, 30])
def test_a_turned_code_is_read_from_its_own_upper_left(angle: int) -> None:
    code = qr("turned")
    centre = (WIDTH / 2, HEIGHT / 2)
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    at = corners_of(centre[0] - code.shape[0] / 2, centre[1] - code.shape[0] / 2, code.shape[0])
    image = scene((code, int(at[0][0]), int(at[0][1])), (marker(5, side=60), 120, 130))
    turned = cv2.warpAffine(image, turn, (WIDTH, HEIGHT), borderValue=(255, 255, 255))

    mark, event = found(Codes(kinds=BOTH), frame_of(turned))  # type: ignore[arg-type]

    assert (mark.text, event.text) == ("5", "turned")
    assert np.allclose(pixels(event.corners), at @ turn[:, :2].T + turn[:, 2], atol=4)
    points = pixels(event.corners)
    (box,) = event.boxes
    assert np.allclose(pixels([(box.x, box.y)]), points.min(axis=0))
    assert np.allclose(pixels([(box.x + box.w, box.y + box.h)]), points.max(axis=0))


def test_a_code_seen_from_the_side_is_read() -> None:
    code = qr("askew", module=6)
    side = code.shape[0]
    image = scene((code, 60, 60))
    from_points = corners_of(60, 60, side).astype(np.float32)
    to_points = from_points + np.array([(0, 0), (-20, 14), (-20, -10), (0, 0)], np.float32)
    view = cv2.getPerspectiveTransform(from_points, to_points)
    askew = cv2.warpPerspective(image, view, (WIDTH, HEIGHT), borderValue=(255, 255, 255))

    (event,) = found(Codes(), frame_of(askew))  # type: ignore[arg-type]

    assert event.text == "askew"
    assert np.allclose(pixels(event.corners), to_points, atol=4)


def test_corners_and_boxes_are_fractions_of_the_raw_picture() -> None:
    frame: Frame | None = frame_of(scene((marker(9, side=60), 340, 200)))
    for operator in (Crop(x=0.5, y=0.5, w=0.5, h=0.5), Resize(width=480), Rotate(angle=90.0)):
        assert frame is not None
        frame = operator.open()(frame)
    assert frame is not None

    (event,) = found(Codes(kinds=("aruco",)), frame)

    assert np.allclose(pixels(event.corners), corners_of(340, 200, 60), atol=1.5)
    (box,) = event.boxes
    assert np.allclose(pixels([(box.x, box.y), (box.w, box.h)]), [(340, 200), (60, 60)], atol=1.5)


def test_markers_of_another_dictionary_are_no_markers() -> None:
    frame = frame_of(scene((marker(4, dictionary=cv2.aruco.DICT_APRILTAG_36h11), 100, 100)))

    assert found(Codes(kinds=("aruco",)), frame) == []
    (event,) = found(Codes(kinds=("aruco",), dictionary="apriltag_36h11"), frame)
    assert event.text == "4"


def test_without_codes_the_frame_stays_as_it_is() -> None:
    frame = frame_of(scene())

    assert Codes(kinds=BOTH).open()(frame) is frame


@pytest.mark.parametrize(
    ("data", "mode", "text"),
    [
        ("点茗".encode("shift-jis"), cv2.QRCodeEncoder_MODE_KANJI, "点茗"),
        (b"caf\xe9", cv2.QRCodeEncoder_MODE_BYTE, "café"),
        # With the mark of UTF-8 in front of what is none.
        (b"caf\xe9 \xff", cv2.QRCodeEncoder_MODE_ECI, "caf\ufffd \ufffd"),
    ],
)
def test_what_is_no_utf_8_does_not_fail_the_frame(data: bytes, mode: int, text: str) -> None:
    (event,) = found(Codes(), frame_of(scene((qr(data, mode=mode), 60, 40))))

    assert event.text == text


def test_many_threads_read_the_same() -> None:
    frames = [frame_of(scene((qr(f"gate {n}"), 20 + 10 * n, 30), (qr("both"), 250, 150))) for n in range(3)]
    codes = Codes().open()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(codes, frames * 4))

    assert [[event.data.text for event in result.events] for result in results if result] == [
        ["both", f"gate {n}"] for n in range(3)
    ] * 4


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kinds": ()}, r'codes: kinds = \[\]: expected \["qr"\], \["aruco"\] or both'),
        ({"kinds": ("qr", "qr")}, "codes: kinds = "),
        ({"kinds": ("ean",)}, "codes: kinds = "),
        ({"dictionary": "4x4"}, 'codes: dictionary = "4x4": expected one of 4x4_100, 4x4_1000, 4x4_250, 4x4_50, '),
    ],
)
def test_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Codes(**parameters)
