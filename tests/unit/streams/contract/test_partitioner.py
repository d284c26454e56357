import pytest
from producer_support import java_partition

from streams.contract.partitioner import partition_of


@pytest.mark.parametrize("key", ["a", "gate", "gate-1", "kitchen.2", "x" * 128])
@pytest.mark.parametrize("partitions", [1, 4, 6, 97])
def test_a_key_lies_where_javas_client_puts_it(key: str, partitions: int) -> None:
    assert partition_of(key.encode(), partitions) == java_partition(key.encode(), partitions)


def test_keys_are_spread() -> None:
    assert {partition_of(b"gate-%d" % number, 6) for number in range(40)} == set(range(6))
