import numpy as np
import pytest

from streams.operators.yolo import MOST, found_in, layouts_of


@pytest.mark.parametrize(
    ("shape", "labels", "layouts"),
    [
        ((1, 25200, 85), 80, ["v5"]),
        ((1, 84, 8400), 80, ["v8"]),
        ((1, 300, 6), 80, ["end2end"]),
        ((1, 25200, 6), 1, ["v5", "end2end"]),
        ((1, 5, 8400), 1, ["v8"]),
        ((1, 84, 8400), 79, []),
        ((2, 84, 8400), 80, []),
        ((1, 84), 80, []),
    ],
)
def test_a_layout_is_told_by_the_shape(shape: tuple[int, ...], labels: int, layouts: list[str]) -> None:
    assert layouts_of(shape, labels=labels) == layouts


def v8(*rows: tuple[float, ...]) -> "np.ndarray":
    return np.array(rows, np.float32).T[None]


def test_what_overlaps_is_left_out_in_its_own_class_only() -> None:
    output = v8(
        (10, 10, 8, 8, 0.6, 0.1),
        (11, 10, 8, 8, 0.9, 0.1),
        (10, 11, 8, 8, 0.1, 0.5),
        (30, 10, 8, 8, 0.7, 0.1),
    )

    boxes, scores, classes = found_in(output, "v8", score=0.25, nms=0.45)

    assert boxes.tolist() == [[7, 6, 15, 14], [26, 6, 34, 14], [6, 7, 14, 15]]
    assert scores.tolist() == pytest.approx([0.9, 0.7, 0.5])
    assert classes.tolist() == [0, 0, 1]


def test_a_box_counts_for_the_class_that_it_is_surest_of() -> None:
    boxes, scores, classes = found_in(v8((10, 10, 8, 8, 0.5, 0.6)), "v8", score=0.25, nms=0.45)

    assert (len(boxes), scores.tolist(), classes.tolist()) == (1, pytest.approx([0.6]), [1])


def test_v5_is_as_sure_as_there_is_anything() -> None:
    output = np.array([[[10, 10, 8, 8, 0.5, 0.8, 0.1], [50, 10, 8, 8, 0.2, 1.0, 0.0]]], np.float32)

    boxes, scores, classes = found_in(output, "v5", score=0.25, nms=0.45)

    assert (boxes.tolist(), scores.tolist(), classes.tolist()) == ([[6, 6, 14, 14]], pytest.approx([0.4]), [0])


def test_what_the_network_has_sorted_out_is_left_as_it_is() -> None:
    output = np.array([[[0, 0, 8, 8, 0.9, 1], [0, 0, 8, 8, 0.95, 1], [0, 0, 0, 0, 0, 0]]], np.float32)

    boxes, scores, classes = found_in(output, "end2end", score=0.25, nms=0.45)

    assert (len(boxes), scores.tolist(), classes.tolist()) == (2, pytest.approx([0.95, 0.9]), [1, 1])


def test_no_number_is_not_sure() -> None:
    assert len(found_in(v8((10, 10, 8, 8, np.nan, np.nan)), "v8", score=0.25, nms=0.45)[0]) == 0


def test_there_is_a_limit() -> None:
    output = v8(*((20.0 * n, 10, 8, 8, 0.5 + n / 10_000) for n in range(2 * MOST)))

    _, scores, _ = found_in(output, "v8", score=0.25, nms=0.45)

    assert len(scores) == MOST and scores.min() > 0.5 + (MOST - 1) / 10_000
