"""`health` on real footage: quiet while all is well, and each thing that is done to it is found."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from footage import box_jpegs
from frame_support import CAPTURED_AT_NS, frame_of

from streams.contract.images import Image, decode, encode
from streams.operators.health import Health

FPS, LEARN = 5, 30
noise = np.random.default_rng(2)


@pytest.fixture(scope="module")
def footage() -> list[Image]:
    """Every third frame of a box that is moved, turned and taken away by hand; 640x480, in lightness."""
    jpegs = box_jpegs()[::3]
    return [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) for jpeg in jpegs]  # type: ignore[misc]


def watch(images: list[Image], *, accept_s: float = 0.0) -> list[tuple[int, str, str]]:
    """Index of the frame, problem, state."""
    health, told = Health(learn_frames=LEARN, frozen_s=6, accept_s=accept_s).open(), []
    for index, image in enumerate(images):
        result = health(frame_of(image).changed(captured_at_ns=CAPTURED_AT_NS + index * 10**9 // FPS))
        assert result is not None
        told += [(index, event.data.problem, event.data.state) for event in result.events]
    return told


def noisy(image: Image, sigma: float) -> Image:
    return np.clip(image + noise.normal(0, sigma, image.shape), 0, 255).astype(np.uint8)


def shifted(image: Image) -> Image:
    """By 8 % of its width."""
    height, width = image.shape
    move = np.array([[1.0, 0.0, 0.08 * width], [0.0, 1.0, 0.0]])
    return cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REFLECT)  # type: ignore[return-value]


DONE: dict[str, Callable[[Image], Image]] = {
    "dark": lambda image: noisy((image * 0.06).astype(np.uint8), 2),
    "covered": lambda image: noisy(np.full_like(image, 120), 4),
    "blurred": lambda image: noisy(cv2.GaussianBlur(image, (0, 0), 4), 5),  # type: ignore[arg-type]
    "moved": shifted,
}


def test_nothing_is_told_while_all_is_well(footage: list[Image]) -> None:
    assert watch([*footage, *footage[::-1]]) == []


@pytest.mark.parametrize("problem", DONE)
def test_what_is_done_to_it_is_told_once_and_its_end(problem: str, footage: list[Image]) -> None:
    done = [DONE[problem](image) for image in footage[50:80]]

    told = watch([*footage[:50], *done, *footage[80:110]])

    # Three seconds of five frames.
    assert told == [(65, problem, "begun"), (95, problem, "ended")]


def test_a_camera_that_is_out_of_focus_from_its_start_is_found(footage: list[Image]) -> None:
    blurred: list[Image] = [cv2.GaussianBlur(image, (0, 0), 6) for image in footage[:60]]  # type: ignore[misc]

    begun = (LEARN + 15, "blurred", "begun")
    assert watch(blurred) == [begun]
    # After five seconds that is how it is, for good.
    assert watch(blurred * 3, accept_s=5) == [begun, (LEARN + 15 + 25, "blurred", "ended")]


def test_a_frame_that_is_encoded_again_and_again_is_frozen(footage: list[Image]) -> None:
    stuck = [footage[50]]
    for _ in range(39):
        stuck.append(decode(encode(stuck[-1], quality=80)))

    told = watch([*footage[:50], *stuck, *footage[51:90]])

    # Six seconds of five frames, counted from the first that is encoded again.
    assert told == [(80, "frozen", "begun"), (105, "frozen", "ended")]


def test_dimmer_light_and_a_hidden_half_are_no_problem(footage: list[Image]) -> None:
    dim = [noisy((image * 0.4).astype(np.uint8), 2) for image in footage[50:80]]
    half = [np.hstack([np.full_like(image[:, :320], 120), image[:, 320:]]) for image in footage[80:110]]

    assert watch([*footage[:50], *dim, *half]) == []
