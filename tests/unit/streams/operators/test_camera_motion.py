import cv2
import numpy as np
import pytest
from frame_support import flat
from scene_support import edgy_scene

from streams.contract.images import Image
from streams.operators.camera_motion import View, motion_between
from streams.operators.rigid import STILL

WIDTH, HEIGHT = 320, 240
SCENE = edgy_scene(2 * WIDTH, 2 * HEIGHT)


def seen(x: float = 0.0, y: float = 0.0, *, angle: float = 0.0, zoom: float = 1.0) -> Image:
    """The middle of the scene, shifted by so many pixels, turned by so many degrees clockwise about the middle."""
    matrix = cv2.getRotationMatrix2D((WIDTH - 0.5, HEIGHT - 0.5), -angle, zoom)
    matrix[:, 2] += (x - WIDTH / 2, y - HEIGHT / 2)
    return cv2.warpAffine(SCENE, matrix, (WIDTH, HEIGHT))  # type: ignore[return-value]


def motion(before: Image, now: Image) -> tuple[float, float, float]:
    """x, y in pixels, and degrees clockwise."""
    rigid = motion_between(View.of(before), View.of(now))
    assert abs(rigid.turn) == pytest.approx(1)
    return rigid.shift.real, rigid.shift.imag, float(np.degrees(np.angle(rigid.turn)))


@pytest.mark.parametrize(("x", "y", "angle"), [(5, 0, 0), (-3.5, 8, 0), (0, 0, 2), (12, -7, -1.5), (0.6, 0.4, 0)])
def test_a_shift_and_a_turn_are_found(x: float, y: float, angle: float) -> None:
    found = motion(seen(), seen(x, y, angle=angle))

    assert found == (pytest.approx(x, abs=0.15), pytest.approx(y, abs=0.15), pytest.approx(angle, abs=0.1))


def test_a_zoom_is_left_out() -> None:
    assert motion(seen(), seen(zoom=1.03)) == (
        pytest.approx(0, abs=0.2),
        pytest.approx(0, abs=0.2),
        pytest.approx(0, abs=0.1),
    )


def test_what_moves_before_a_camera_that_stands_still_is_not_the_camera() -> None:
    before, now = seen(), seen()
    # A third of the picture, as a lorry that passes.
    thing = edgy_scene(160, 160, seed=8)
    before[60:220, 20:180], now[60:220, 27:187] = thing, thing

    assert motion_between(View.of(before), View.of(now)) == STILL


def test_what_moves_a_little_otherwise_does_not_count() -> None:
    before, now = seen(), seen(6, 3)
    thing = edgy_scene(480, 480, seed=8)
    before[60:180, 20:140] = cv2.resize(thing, (120, 120), interpolation=cv2.INTER_AREA)
    # By 0.75 pixels more than the scene behind it: four times as large, that is three.
    moved = cv2.warpAffine(
        thing, np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 0.0]]), (480, 480), borderMode=cv2.BORDER_REFLECT
    )
    now[63:183, 26:146] = cv2.resize(moved, (120, 120), interpolation=cv2.INTER_AREA)

    assert motion(before, now) == (pytest.approx(6, abs=0.1), pytest.approx(3, abs=0.1), pytest.approx(0, abs=0.05))


def test_a_clock_that_is_written_into_the_picture_does_not_hold_it_still() -> None:
    before, now = seen(), seen(6, 3)
    for image in (before, now):
        cv2.putText(image, "2026-01-02 03:04:05", (5, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255)

    assert motion(before, now) == (pytest.approx(6, abs=0.2), pytest.approx(3, abs=0.2), pytest.approx(0, abs=0.1))


def test_noise_is_no_motion() -> None:
    noise = np.random.default_rng(1)
    before, now = (np.clip(seen() + noise.normal(0, 2, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8) for _ in range(2))

    assert motion_between(View.of(before), View.of(now)) == STILL


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (flat(WIDTH, HEIGHT, 90), flat(WIDTH, HEIGHT, 90)),
        (flat(1, 1, 90), flat(1, 1, 90)),
        (seen(), flat(WIDTH, HEIGHT, 90)),
        (seen(), edgy_scene(WIDTH, HEIGHT, seed=9)),
        (seen(), edgy_scene(WIDTH, HEIGHT // 2)),
    ],
    ids=["flat", "tiny", "covered", "another scene", "another size"],
)
def test_where_none_can_be_told_there_is_none(before: Image, now: Image) -> None:
    assert motion_between(View.of(before), View.of(now)) == STILL


def test_threads_of_opencv_do_not_matter() -> None:
    threads, found = cv2.getNumThreads(), []
    try:
        for number in (1, 4):
            cv2.setNumThreads(number)
            found.append(motion_between(View.of(seen()), View.of(seen(4, 2, angle=1))))
    finally:
        cv2.setNumThreads(threads)

    assert found[0] == found[1] != STILL
