import cv2
import numpy as np
import pytest
from frame_support import centre_of_mark, frame_of, marked, picture, raw_point, run

from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.operators.best_affine import Points, residuals
from streams.operators.checks import ParameterError
from streams.operators.undistort import Undistort

WIDTH, HEIGHT = 320, 240
LENS = Undistort(fx=0.8, k1=-0.3, k2=0.1)
FISHEYE = Undistort(fx=0.4, k1=0.05, k2=-0.01, fisheye=True)
MATRIX = ((800.0, 0.0, 640.5), (0.0, 790.0, 350.0), (0.0, 0.0, 1.0))

each_lens = pytest.mark.parametrize("operator", [LENS, FISHEYE], ids=["lens", "fisheye"])


def seen_through(operator: Undistort, points: Points) -> Points:
    """Where points on a plane before the camera (x, y at distance 1) come to lie in its picture, in pixels."""
    ahead, still = np.column_stack([points, np.ones(len(points))])[:, None], np.zeros(3)
    camera = operator.camera(WIDTH, HEIGHT)
    if operator.fisheye:
        bent = np.array([operator.k1, operator.k2, operator.k3, operator.k4])
        pixels, _ = cv2.fisheye.projectPoints(ahead, still, still, camera, bent)
    else:
        bent = np.array([operator.k1, operator.k2, operator.p1, operator.p2, operator.k3])
        pixels, _ = cv2.projectPoints(ahead, still, still, camera, bent)
    return pixels.reshape(-1, 2)  # type: ignore[return-value]


def straight_line(operator: Undistort) -> Image:
    """A picture through the lens of a straight white line, near the upper edge."""
    reach = 0.45 / (operator.fx or 1)
    line = np.column_stack([np.linspace(-reach, reach, 400), np.full(400, -reach / 2)])
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    points = np.round(seen_through(operator, line) * 16).astype(np.int32)
    cv2.polylines(image, [points], False, 255, 2, cv2.LINE_AA, 4)
    return image


def sag(image: Image) -> float:
    """By how many rows a bright line bends: between its highest column and its lowest."""
    columns = [x for x in range(20, WIDTH - 20) if image[:, x].max() > 100]
    rows = np.indices(image.shape)[0]
    heights = [float(np.average(rows[:, x], weights=image[:, x])) for x in columns]
    assert len(heights) > 80
    return max(heights) - min(heights)


@each_lens
def test_a_straight_line_comes_out_straight(operator: Undistort) -> None:
    image = straight_line(operator)

    assert sag(image) > 3 and sag(run(operator, image)) < sag(image) / 4


def test_the_size_stays() -> None:
    assert run(LENS, picture(WIDTH, HEIGHT)).shape == (HEIGHT, WIDTH, 3)


@each_lens
def test_with_balance_all_of_the_picture_is_seen(operator: Undistort) -> None:
    white = np.full((HEIGHT, WIDTH), 255, np.uint8)
    wide = Undistort(
        fx=operator.fx, k1=operator.k1, k2=operator.k2, k3=operator.k3, fisheye=operator.fisheye, balance=1.0
    )

    assert (run(operator, white)[2:-2, 2:-2] == 255).mean() > 0.97
    assert (run(wide, white) == 0).mean() > 0.05


def test_a_matrix_in_pixels_is_the_same_camera_in_fractions() -> None:
    in_pixels = Undistort(matrix_px=MATRIX, size_px=(1280, 720), k1=-0.2)
    in_fractions = Undistort(fx=800 / 1280, fy=790 / 720, cx=641 / 1280, cy=350.5 / 720, k1=-0.2)

    assert np.allclose(in_pixels.camera(1280, 720), MATRIX)
    for size in ((1280, 720), (640, 360), (333, 777)):
        assert np.allclose(in_pixels.camera(*size), in_fractions.camera(*size))


def test_without_fy_pixels_are_square() -> None:
    camera = Undistort(fx=0.5, k1=0.1).camera(1280, 720)

    assert np.allclose(camera, [[640, 0, 639.5], [0, 640, 359.5], [0, 0, 1]])


def test_half_the_size_is_the_same_picture() -> None:
    image = picture(WIDTH, HEIGHT)
    half: Image = cv2.resize(image, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]

    small = cv2.resize(run(LENS, image), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)

    assert np.abs(run(LENS, half).astype(int) - small)[2:-2, 2:-2].max() <= 8


@each_lens
def test_the_way_back_of_each_point_is_where_its_pixel_came_from(operator: Undistort) -> None:
    for x, y in ((150, 110), (40, 30), (270, 190)):
        result = operator.open()(frame_of(marked(WIDTH, HEIGHT, x, y)))
        assert result is not None
        there = operator.back(np.array([centre_of_mark(result.image)]), WIDTH, HEIGHT)

        assert np.allclose(there, [[x + 2, y + 2]], atol=0.2)


@each_lens
def test_to_raw_is_off_by_no_more_than_is_said(operator: Undistort) -> None:
    def result_of(x: int, y: int) -> Frame:
        result = operator.open()(frame_of(marked(WIDTH, HEIGHT, x, y)))
        assert result is not None
        return result

    to_raw = result_of(0, 0).to_raw
    off = np.hypot(*residuals(WIDTH, HEIGHT, lambda points: operator.back(points, WIDTH, HEIGHT), to_raw).T)

    mean, worst = (0.04, 0.12) if operator.fisheye else (0.015, 0.055)
    assert 0.005 * WIDTH < off.mean() < mean * WIDTH and off.max() < worst * WIDTH
    for x, y in ((150, 110), (40, 30), (270, 190)):
        result = result_of(x, y)
        raw_x, raw_y = raw_point(result, *centre_of_mark(result.image))
        assert np.hypot(raw_x - x - 2, raw_y - y - 2) <= off.max()


def test_coefficients_that_make_no_picture_are_the_frames_error() -> None:
    with pytest.raises(ValueError, match="leave nothing to see of a picture of 320x240; are they right"):
        run(Undistort(fx=0.3, k1=-1000.0, fisheye=True), picture(WIDTH, HEIGHT))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"k1": 0.1}, "undistort: fx is missing: expected the focal length as a fraction of the width, or matrix_px"),
        ({"fx": 0.8}, "undistort: k1 = 0.0: expected a coefficient that is not 0"),
        ({"fx": 0.0, "k1": 0.1}, "undistort: fx = 0.0: expected a fraction from 0.01"),
        ({"fx": 0.8, "cy": 3.0, "k1": 0.1}, "undistort: cy = 3.0"),
        ({"fx": 0.8, "k1": 2000.0}, "undistort: k1 = 2000.0: expected a number from -1000 to 1000"),
        ({"fx": 0.8, "k1": 0.1, "k4": 0.1}, "undistort: k4 = 0.1: expected 0 without fisheye"),
        ({"fx": 0.8, "p1": 0.1, "fisheye": True}, "undistort: p1 = 0.1: expected 0 with fisheye"),
        ({"fx": 0.8, "k1": 0.1, "balance": 1.5}, "undistort: balance = 1.5: expected a number from 0 to 1"),
        ({"fx": 0.8, "k1": 0.1, "size_px": (1280, 720)}, "undistort: size_px = .* expected none without matrix_px"),
        ({"matrix_px": MATRIX, "k1": 0.1}, "undistort: size_px is missing: expected"),
        ({"matrix_px": MATRIX, "size_px": (1280, 720), "fx": 0.8, "k1": 0.1}, "expected none beside matrix_px"),
        ({"matrix_px": MATRIX[::-1], "size_px": (1280, 720), "k1": 0.1}, r"undistort: matrix_px = .*\[\[fx, 0, cx\]"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Undistort(**parameters)  # type: ignore[arg-type]
