import msgspec
import pytest

from framelane.diff.alike import alike, unmatched
from framelane.diff.found_events import Found


def found(kind: str, data: object, name: str = "0/0") -> Found:
    return Found(name, kind, msgspec.json.encode(data))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (0.1, 0.1000001, True),
        (0.1, 0.11, False),
        (1, 1.0, True),
        (1, True, False),
        (True, True, True),
        (None, None, True),
        (None, 0, False),
        ("1", 1, False),
        ([1, 2], [1, 2.0000001], True),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ({"x": [0.5]}, {"x": [0.5000001]}, True),
        ({"x": 1}, {"x": 1, "y": 2}, False),
        ({"x": 1}, {"y": 1}, False),
        (10**400, 10**400 + 1, False),
        (10**400, 0.5, False),
    ],
)
def test_values_are_alike_where_only_small_parts_of_numbers_differ(a: object, b: object, same: bool) -> None:
    assert alike(a, b, tolerance=1e-6) is same
    assert alike(b, a, tolerance=1e-6) is same


def test_the_order_of_events_says_nothing() -> None:
    one, two = found("motion", {"zone": "0"}), found("motion", {"zone": "1"}, "0/1")

    assert unmatched([one, two], [two, one], tolerance=0) == ([], [])


def test_each_event_has_one_twin_at_the_most() -> None:
    one = found("line", {"count": 1})

    assert unmatched([one, one], [one], tolerance=0) == ([one], [])
    assert unmatched([one], [one, one, one], tolerance=0) == ([], [one, one])


def test_events_of_another_type_are_no_twins() -> None:
    a, b = found("motion", {}), found("detection", {})

    assert unmatched([a], [b], tolerance=0) == ([a], [b])


def test_one_that_is_exactly_alike_goes_before_one_that_is_nearly_so() -> None:
    a = [found("x", {"v": 0.50}), found("x", {"v": 0.55})]
    b = [found("x", {"v": 0.55}), found("x", {"v": 0.60})]

    # Taken in order, 0.50 would have 0.55, and 0.55 would have 0.60.
    assert unmatched(a, b, tolerance=0.051) == ([a[0]], [b[1]])
