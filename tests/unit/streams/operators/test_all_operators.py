"""What holds for every operator."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from frame_support import frame_of, picture
from networks import LABELS, yolo, yunet

from streams.contract.frame import Box, Event, Frame
from streams.contract.images import Image, check_image
from streams.operators import OPERATORS
from streams.operators.grayscale import gray

LEFT_HALF = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
CORNERS = ((0.2, 0.1), (0.9, 0.2), (0.8, 0.9), (0.1, 0.7))
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "resize smaller": ("resize", {"width": 32}),
    "resize larger": ("resize", {"width": 100, "height": 100}),
    "crop": ("crop", {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5}),
    "rotate a quarter": ("rotate", {"angle": 90.0}),
    "rotate a little": ("rotate", {"angle": 10.0}),
    "rotate in the old frame": ("rotate", {"angle": -90.0, "expand": False}),
    "flip": ("flip", {"direction": "both"}),
    "perspective": ("perspective", {"corners": CORNERS}),
    "perspective to a size": ("perspective", {"corners": CORNERS, "width": 40, "height": 30}),
    "undistort": ("undistort", {"fx": 0.8, "k1": -0.3}),
    "undistort fisheye": ("undistort", {"fx": 0.4, "k1": 0.1, "fisheye": True, "balance": 1.0}),
    "grayscale": ("grayscale", {}),
    "blur": ("blur", {}),
    "blur median": ("blur", {"kind": "median"}),
    "sharpen": ("sharpen", {}),
    "denoise": ("denoise", {}),
    "denoise nlmeans": ("denoise", {"kind": "nlmeans"}),
    "equalize": ("equalize", {}),
    "edges": ("edges", {}),
    "threshold": ("threshold", {}),
    "threshold otsu": ("threshold", {"kind": "otsu"}),
    "threshold adaptive": ("threshold", {"kind": "adaptive"}),
    "motion": ("motion", {"zones": LEFT_HALF}),
    "motion smaller": ("motion", {"downscale": 3}),
    "health": ("health", {"after_s": 0.0, "learn_frames": 2}),
    "dedupe": ("dedupe", {}),
    "track": ("track", {"min_hits": 1}),
    "line_count": ("line_count", {"lines": (((0.0, 0.5), (1.0, 0.5)),)}),
    "dwell": ("dwell", {}),
    "stabilize": ("stabilize", {}),
    "timelapse": ("timelapse", {}),
    "detect": ("detect", {"model": "v8.onnx", "labels": LABELS, "score": 0.01}),
    "detect all sorted out": ("detect", {"model": "end2end.onnx", "labels": LABELS, "score": 0.01, "zones": LEFT_HALF}),
    "faces": ("faces", {"model": "yunet.onnx", "score": 0.01}),
    "codes": ("codes", {"kinds": ("qr", "aruco")}),
    "pixelate": ("pixelate", {"zones": LEFT_HALF}),
    "pixelate events": ("pixelate", {"kind": "events"}),
    "annotate": ("annotate", {}),
    "timestamp": ("timestamp", {}),
    "timestamp without background": ("timestamp", {"background": False, "position": "top_right"}),
}
SIZES = [(64, 48), (63, 37), (1, 1), (2, 90)]
FOUND = Event(type="motion", data={"zone": "0", "boxes": [Box(x=0.2, y=0.2, w=0.5, h=0.5)]})

each_case = pytest.mark.parametrize("case", CASES)
each_shape = pytest.mark.parametrize("gray", [False, True], ids=["color", "gray"])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    contents = {layout: yolo(layout, width=48, height=32) for layout in ("v8", "end2end")} | {"yunet": yunet()}
    for name, content in contents.items():
        (folder / f"{name}.onnx").write_bytes(content)
    return folder


@pytest.fixture(autouse=True)
def beside_the_models(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)


def run(case: str, image: Image) -> Frame:
    name, parameters = CASES[case]
    result = OPERATORS[name](**parameters).open()(frame_of(image, events=(FOUND,)))  # type: ignore[call-arg]
    assert result is not None
    return result


@pytest.mark.parametrize("case", ["detect", "detect all sorted out"])
def test_there_is_something_to_be_found(case: str) -> None:
    assert len(run(case, picture()).events) > 1


def test_each_operator_has_a_case() -> None:
    assert {name for name, _ in CASES.values()} == set(OPERATORS)


@each_case
@each_shape
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_any_picture_becomes_a_sound_one(case: str, gray: bool, width: int, height: int) -> None:
    image = picture(width, height, gray=gray)
    before = image.copy()

    result = run(case, image)

    check_image(result.image, stage="test")
    assert result.image.flags.c_contiguous
    assert result.image.shape[:2] == (result.height, result.width)
    assert np.array_equal(image, before)
    assert result.events[:1] == (FOUND,)


@each_case
@each_shape
def test_the_same_twice_is_the_same(case: str, gray: bool) -> None:
    image = picture(gray=gray)

    first, second = run(case, image), run(case, image)

    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.to_raw, second.to_raw)


@each_case
def test_what_it_says_of_the_image_is_true(case: str) -> None:
    operator = OPERATORS[CASES[case][0]]
    image = picture()

    result = run(case, image)

    if operator.changes_image:
        assert not np.array_equal(result.image, image)
    else:
        assert np.array_equal(result.image, image)


@each_case
def test_what_it_says_that_it_needs_is_enough(case: str) -> None:
    name, parameters = CASES[case]
    needs = OPERATORS[name](**parameters).needs  # type: ignore[call-arg]
    image = picture()

    colored, from_gray = run(case, image), run(case, gray(image))

    if needs in ("color", "none"):
        return
    assert needs in ("gray", "any")
    assert from_gray.image.ndim == 2
    assert colored.image.ndim == (2 if needs == "gray" and OPERATORS[name].changes_image else 3)
    # Rounded once before the operator, or once after it.
    difference = np.abs(gray(colored.image).astype(int) - from_gray.image)
    assert difference.max() <= 3 and np.array_equal(colored.to_raw, from_gray.to_raw)


@each_case
def test_at_the_size_at_which_it_says_it_reads_it_finds_what_it_needs(case: str) -> None:
    name, parameters = CASES[case]
    operator = OPERATORS[name](**parameters)  # type: ignore[call-arg]
    reads_at = getattr(operator, "reads_at", None)
    if reads_at is None:
        return
    width, height = reads_at(64, 48)
    image = picture(64, 48)
    reduced = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    # Of the whole picture there is nothing: whoever asks for it fails.
    frame = frame_of(image, events=(FOUND,)).changed(_image=None, _reduced=reduced, data=b"")

    if (width, height) == (64, 48):
        return
    found = operator.open()(frame)
    whole = run(case, image)

    assert found is not None and found.events == whole.events
    assert (found.width, found.height, found.raw_size) == (whole.width, whole.height, whole.raw_size)
    assert np.array_equal(found.to_raw, whole.to_raw)
    if operator.changes_image:
        assert np.array_equal(found.image, whole.image)


@each_case
def test_without_memory_one_function_serves_many_threads(case: str) -> None:
    name, parameters = CASES[case]
    operator = OPERATORS[name](**parameters)  # type: ignore[call-arg]
    if operator.memory_frames:
        return
    frames = [frame_of(picture(96, 64, seed=seed), events=(FOUND,)) for seed in range(8)]
    alone = [operator.open()(frame) for frame in frames]
    shared = operator.open()

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(shared, frames * 4))

    for expected, found in zip(alone * 4, together, strict=True):
        assert expected is not None and found is not None
        assert np.array_equal(found.image, expected.image)
