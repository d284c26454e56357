import pytest

from streams.operators.areas import WHOLE, Rect, clipped, zone_mask, zone_rect


def up_to(x: float) -> tuple[tuple[float, float], ...]:
    return ((0.0, 0.0), (x, 0.0), (x, 1.0), (0.0, 1.0))


@pytest.mark.parametrize(("x", "columns"), [(0.46, 5), (0.54, 6), (0.56, 6), (1.0, 10)])
def test_a_pixel_is_in_a_zone_that_touches_it(x: float, columns: int) -> None:
    mask = zone_mask(up_to(x), width=10, height=3)

    assert mask.tolist() == [[255] * columns + [0] * (10 - columns)] * 3


def test_the_whole_is_every_pixel() -> None:
    assert zone_mask(WHOLE, width=7, height=5).min() == 255


@pytest.mark.parametrize(
    ("x", "rect"), [(0.5, (0, 0, 5, 4)), (0.51, (0, 0, 6, 4)), (0.0, (0, 0, 1, 4)), (1.0, (0, 0, 10, 4))]
)
def test_the_rectangle_holds_every_pixel_that_the_zone_touches(x: float, rect: Rect) -> None:
    assert zone_rect(up_to(x), width=10, height=4) == rect


@pytest.mark.parametrize(
    ("rect", "inside"),
    [((2, 1, 3, 2), (2, 1, 3, 2)), ((-5, -5, 7, 8), (0, 0, 2, 3)), ((8, 3, 9, 9), (8, 3, 2, 1)), ((10, 0, 3, 3), None)],
)
def test_clipping(rect: Rect, inside: Rect | None) -> None:
    assert clipped(rect, width=10, height=4) == inside
