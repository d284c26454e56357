from framelane.diff.asked import Key
from framelane.diff.frame_index import Pair, Sighting
from framelane.diff.pictures import chunks, stretches


def pairs(*sizes: int) -> list[tuple[Key, Pair]]:
    return [
        (("gate-1", "e1", n), Pair(n, a=Sighting(0, n, size, b""), b=Sighting(0, n, size, b"")))
        for n, size in enumerate(sizes)
    ]


def sizes_of(chunk: list[tuple[Key, Pair]]) -> list[int]:
    return [pair.a.size for _, pair in chunk if pair.a is not None]


def test_no_chunk_is_larger_than_the_budget_unless_one_frame_is() -> None:
    assert [sizes_of(each) for each in chunks(pairs(4, 4, 2, 30, 1, 9, 1), budget_bytes=10)] == [
        [4, 4, 2],
        [30],
        [1, 9],
        [1],
    ]
    assert list(chunks([], budget_bytes=10)) == []


def test_offsets_that_lie_near_each_other_are_read_in_one_go() -> None:
    assert list(stretches([5])) == [(5, 6)]
    assert list(stretches([0, 1, 2, 30, 500, 501])) == [(0, 31), (500, 502)]
