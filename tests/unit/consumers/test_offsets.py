"""Where a subscription begins, while records keep coming."""

from typing import Any, cast

from confluent_kafka import TopicPartition

from consumers.offsets import starts_at


class Busy:
    """A partition that gets a record after each question: its times in ms."""

    def __init__(self, *times: int) -> None:
        self.times = list(times)

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        end = len(self.times)
        self.times.append(2000 + end)
        return 0, end

    def offsets_for_times(self, asked: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        later = [offset for offset, at_ms in enumerate(self.times) if at_ms >= asked[0].offset]
        self.times.append(2000 + len(self.times))
        return [TopicPartition(asked[0].topic, asked[0].partition, later[0] if later else -1)]


def start(log: Busy, since_ms: int | None) -> int:
    since_ns = None if since_ms is None else since_ms * 1_000_000
    (found,) = starts_at(cast(Any, log), "processed", [0], since_ns=since_ns, timeout_s=1.0)
    return int(found.offset)


def test_a_record_that_comes_while_it_is_asked_where_to_begin_is_not_passed_over() -> None:
    assert start(Busy(100, 200), 1000) == 2


def test_a_time_that_lies_ahead_begins_at_the_end() -> None:
    assert start(Busy(100, 200), 999_000) == 2


def test_the_first_of_the_time_or_the_end_as_of_now() -> None:
    assert start(Busy(100, 200, 300), 200) == 1
    assert start(Busy(100, 200), None) == 2
