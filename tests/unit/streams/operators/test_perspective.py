import cv2
import numpy as np
import pytest
from frame_support import assert_points_back, centre_of_mark, flat, frame_of, marked, picture, raw_point, run

from streams.operators.best_affine import residuals
from streams.operators.checks import ParameterError
from streams.operators.perspective import Perspective, mapped

PAGE = ((0.2, 0.1), (0.9, 0.2), (0.8, 0.9), (0.1, 0.7))
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def test_what_the_corners_enclose_fills_the_picture() -> None:
    image = flat(400, 300, (10, 10, 10))
    page = (np.array(PAGE) * (400, 300)).round().astype(np.int32)
    cv2.fillPoly(image, [page], (200, 150, 100))

    straight = run(Perspective(corners=PAGE, width=120, height=90), image)

    assert straight.shape == (90, 120, 3)
    # The outermost pixels are mixed with what lies beyond.
    assert (straight[2:-2, 2:-2] == (200, 150, 100)).all()


def test_corners_come_to_lie_in_the_corners_in_their_order() -> None:
    operator = Perspective(corners=PAGE)
    width, height = operator.size(400, 300)
    rectangle = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])

    assert np.allclose(mapped(operator.back(400, 300), rectangle), np.array(PAGE) * (400, 300), atol=1e-3)


def test_without_a_size_it_is_as_long_as_its_longer_sides() -> None:
    corners = ((0.25, 0.0), (0.75, 0.0), (1.0, 1.0), (0.0, 1.0))

    assert Perspective(corners=corners).size(400, 300) == (400, round(np.hypot(100, 300)))
    assert Perspective(corners=corners, width=80).size(400, 300) == (80, round(np.hypot(100, 300)))
    assert Perspective(corners=corners, width=80, height=60).size(400, 300) == (80, 60)


def test_the_whole_picture_stays_as_it_is() -> None:
    image = picture(64, 48)

    assert np.array_equal(run(Perspective(corners=WHOLE), image), image)


def test_the_edge_stays_as_bright_as_it_is() -> None:
    assert (run(Perspective(corners=WHOLE, width=160, height=120), flat(64, 48, 255)) == 255).all()


def test_of_a_parallelogram_the_way_back_is_exact() -> None:
    assert_points_back(Perspective(corners=((0.2, 0.1), (0.8, 0.1), (0.9, 0.9), (0.3, 0.9))), tolerance=0.05)
    assert_points_back(Perspective(corners=WHOLE, width=160, height=120), tolerance=0.05)


def test_else_it_is_off_by_no_more_than_is_said() -> None:
    operator = Perspective(corners=PAGE)
    result = operator.open()(frame_of(marked(400, 300, 200, 140)))
    assert result is not None
    matrix = operator.back(400, 300)

    off = np.hypot(*residuals(result.width, result.height, lambda points: mapped(matrix, points), result.to_raw).T)
    x, y = raw_point(result, *centre_of_mark(result.image))

    assert 5 < off.max() < 30 and np.hypot(x - 202, y - 142) < off.max()


def test_quarter_turned_corners_turn_the_picture() -> None:
    corners = (WHOLE[3], WHOLE[0], WHOLE[1], WHOLE[2])

    assert np.array_equal(run(Perspective(corners=corners), picture(64, 48)), np.rot90(picture(64, 48), -1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"corners": (*PAGE[:3], (0.1, 1.2))}, "perspective: corners = .*: expected four corners"),
        ({"corners": PAGE[::-1]}, "expected four corners .* clockwise"),
        ({"corners": ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))}, "perspective: corners"),
        ({"corners": ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0))}, "no three of them in a line"),
        ({"corners": PAGE, "width": 0}, "perspective: width = 0: expected 1 to 16384 pixels"),
        ({"corners": PAGE, "height": 20_000}, "perspective: height = 20000"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Perspective(**parameters)  # type: ignore[arg-type]
