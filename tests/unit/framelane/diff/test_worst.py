import pytest

from framelane.diff.worst import Worst


def test_the_worst_are_kept_the_worst_first_and_of_equal_ones_the_earlier() -> None:
    worst = Worst[str](3)
    for badness, name in ((1, "a"), (5, "b"), (3, "c"), (5, "d"), (3, "e"), (0, "f")):
        worst.add(badness, name)

    assert worst.items() == ["b", "d", "c"]


@pytest.mark.parametrize(("count", "kept"), [(0, []), (9, [1])])
def test_there_may_be_none_or_fewer(count: int, kept: list[int]) -> None:
    worst = Worst[int](count)
    worst.add(0.5, 1)

    assert worst.items() == kept


def test_items_are_never_compared() -> None:
    worst = Worst[object](2)
    for _ in range(5):
        worst.add(1.0, object())

    assert len(worst.items()) == 2
