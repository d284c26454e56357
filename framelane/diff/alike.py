"""Which events of a frame have none like them on the other side."""

from collections.abc import Sequence
from typing import Any

from framelane.diff.found_events import Found


def unmatched(a: Sequence[Found], b: Sequence[Found], *, tolerance: float) -> tuple[list[Found], list[Found]]:
    """The events that only the one side has, and those that only the other has; their order says nothing.

    tolerance: numbers that differ by no more are alike.
    """
    left_a, left_b = _without(a, b, lambda x, y: x.data == y.data)
    if not (left_a and left_b):
        return left_a, left_b
    return _without(left_a, left_b, lambda x, y: alike(x.value, y.value, tolerance=tolerance))


def alike(a: Any, b: Any, *, tolerance: float) -> bool:
    """Whether two values of JSON say the same: numbers within the tolerance, lists in the same order."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or _near(a, b, tolerance)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key], tolerance=tolerance) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(alike(x, y, tolerance=tolerance) for x, y in zip(a, b, strict=True))
    return bool(type(a) is type(b) and a == b)


def _near(a: float, b: float, tolerance: float) -> bool:
    try:
        return abs(a - b) <= tolerance
    except OverflowError:
        # JSON's integers may have any number of digits.
        return False


def _without(a: Sequence[Found], b: Sequence[Found], same: Any) -> tuple[list[Found], list[Found]]:
    """Both without those that have one of the same type and value on the other side, each of which counts once."""
    left_a, left_b = [], list(b)
    for event in a:
        twin = next((n for n, each in enumerate(left_b) if each.type == event.type and same(event, each)), None)
        if twin is None:
            left_a.append(event)
        else:
            del left_b[twin]
    return left_a, left_b
