"""Frames and pictures for tests of operators and pipelines."""

from typing import Any

import cv2
import numpy as np

from streams.contract.frame import Event, Frame
from streams.contract.images import Image, encode

CAPTURED_AT_NS = 1_767_323_045_678_900_000  # 2026-01-02T03:04:05.6789Z


def picture(width: int = 64, height: int = 48, *, seed: int = 1, gray: bool = False) -> Image:
    """A smooth, colourful picture that is the same for the same seed; uint8 (H, W, 3), or (H, W) when gray."""
    shape = (4, 5) if gray else (4, 5, 3)
    coarse = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    image: Image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return image


def flat(width: int, height: int, value: int | tuple[int, int, int]) -> Image:
    """A picture of one colour: (H, W) for a number, (H, W, 3) for three."""
    return np.full((height, width) if isinstance(value, int) else (height, width, 3), value, np.uint8)


def frame_of(image: Image, *, camera_id: str = "gate-1", sequence: int = 7, events: tuple[Event, ...] = ()) -> Frame:
    """A raw frame that shows the picture, decoded already; writing into it raises."""
    image = image.view()
    image.flags.writeable = False
    height, width = image.shape[:2]
    return Frame(
        camera_id=camera_id,
        epoch="20260102T030405678-abcd",
        sequence=sequence,
        captured_at_ns=CAPTURED_AT_NS,
        width=width,
        height=height,
        events=events,
        _image=image,
    )


def encoded_frame(image: Image, content_type: str = "image/jpeg", **fields: Any) -> Frame:
    """A raw frame as a worker gets it: bytes, nothing decoded."""
    height, width = image.shape[:2]
    given = {"camera_id": "gate-1", "epoch": "20260102T030405678-abcd", "sequence": 7} | fields
    return Frame(
        captured_at_ns=CAPTURED_AT_NS,
        width=width,
        height=height,
        content_type=content_type,
        data=encode(image, content_type, quality=90),
        **given,
    )


def run(operator: Any, image: Image) -> Image:
    """The picture that an operator, freshly opened, makes of this one."""
    result = operator.open()(frame_of(image))
    assert result is not None
    return result.image


def raw_point(frame: Frame, x: float, y: float) -> tuple[float, float]:
    """Where a point of the frame's picture, in pixels from its upper left corner, lies in the raw one."""
    raw = frame.to_raw @ np.array([x, y, 1.0])
    return float(raw[0]), float(raw[1])


def centre_of_mark(image: Image) -> tuple[float, float]:
    """The middle of what is white in the picture, in pixels from its upper left corner."""
    weights = (image if image.ndim == 2 else image[:, :, 0]).astype(float)
    ys, xs = np.indices(weights.shape) + 0.5
    return float(np.average(xs, weights=weights)), float(np.average(ys, weights=weights))


def marked(width: int, height: int, x: int, y: int) -> Image:
    """A black picture with a white mark, 4 x 4 pixels, whose upper left corner is x, y."""
    image = np.zeros((height, width, 3), np.uint8)
    image[y : y + 4, x : x + 4] = 255
    return image


def assert_points_back(operator: Any, *, tolerance: float = 1e-6) -> Frame:
    """A mark in the picture that the operator returns lies, through to_raw, where it was in the raw one."""
    image = marked(80, 60, 40, 24)
    result: Frame | None = operator.open()(frame_of(image))
    assert result is not None
    x, y = raw_point(result, *centre_of_mark(result.image))
    assert abs(x - 42) <= tolerance and abs(y - 26) <= tolerance, (x, y)
    return result
