"""The frames that are fed."""

from collections import Counter
from itertools import islice

import pytest
from aiokafka.partitioner import DefaultPartitioner

from benchmarks.pictures import camera_ids, there_and_back


def test_pictures_are_played_forwards_and_backwards() -> None:
    assert b"".join(islice(there_and_back([b"a", b"b", b"c"]), 9)) == b"abcbabcba"
    assert b"".join(islice(there_and_back([b"a", b"b", b"c"], start=3), 3)) == b"bab"
    assert b"".join(islice(there_and_back([b"a"]), 3)) == b"aaa"


@pytest.mark.parametrize(("count", "partitions"), [(8, 4), (8, 1), (24, 24), (10, 4), (8, 24)])
def test_cameras_fall_on_the_partitions_evenly(count: int, partitions: int) -> None:
    names = camera_ids(count, partitions=partitions)

    every = list(range(partitions))
    on = Counter(DefaultPartitioner()(name.encode(), every, every) for name in names)
    assert len(set(names)) == count
    assert max(on.values()) - min(on[each] for each in every) <= 1
