from consumers.horizon import SLACK_MS, Horizon

UNTIL_NS = 1_000_000_000_000
UNTIL_MS = UNTIL_NS // 1_000_000


def test_is_not_reached_before_partitions_are_assigned() -> None:
    horizon = Horizon(UNTIL_NS)
    assert not horizon.reached
    horizon.assign([])
    assert not horizon.reached, "one of the others' may come yet"
    assert horizon.unbounded(now_ns=UNTIL_NS) == []
    assert horizon.reached


def test_asks_for_the_ends_once_the_time_has_come() -> None:
    horizon = Horizon(UNTIL_NS)
    horizon.assign([0, 1])
    assert horizon.unbounded(now_ns=UNTIL_NS - 1) == []
    assert horizon.unbounded(now_ns=UNTIL_NS) == [0, 1]
    horizon.bound({0: 5, 1: 0})
    assert horizon.unbounded(now_ns=UNTIL_NS) == []


def test_is_reached_when_every_partition_has_reached_its_end() -> None:
    horizon = Horizon(UNTIL_NS)
    horizon.assign([0, 1])
    horizon.bound({0: 5, 1: 0})
    horizon.note(1, next_offset=0)
    horizon.note(0, next_offset=4, timestamp_ms=UNTIL_MS - 10)
    assert not horizon.reached
    horizon.note(0, next_offset=5, timestamp_ms=UNTIL_MS - 10)
    assert horizon.reached


def test_a_partition_is_passed_only_beyond_the_slack() -> None:
    horizon = Horizon(UNTIL_NS)
    horizon.assign([0])
    assert not horizon.note(0, next_offset=1, timestamp_ms=UNTIL_MS)
    assert not horizon.reached
    assert horizon.note(0, next_offset=2, timestamp_ms=UNTIL_MS + SLACK_MS)
    assert not horizon.note(0, next_offset=3, timestamp_ms=UNTIL_MS + SLACK_MS), "passed is told once"
    assert horizon.reached


def test_a_partition_that_went_to_somebody_else_is_not_waited_for() -> None:
    horizon = Horizon(UNTIL_NS)
    horizon.assign([0, 1])
    horizon.bound({0: 0, 1: 5})
    horizon.note(0, next_offset=0)
    horizon.revoke([1])
    assert horizon.reached
    horizon.assign([1])
    assert not horizon.reached
    assert horizon.unbounded(now_ns=UNTIL_NS) == [1]


def test_a_rebalance_that_takes_all_partitions_away_for_a_moment_is_no_end() -> None:
    horizon = Horizon(UNTIL_NS)
    horizon.assign([0, 1])
    horizon.revoke([0, 1])
    assert not horizon.reached
    horizon.assign([1])
    assert not horizon.reached
    horizon.bound({1: 5})
    horizon.note(1, next_offset=5)
    assert horizon.reached
