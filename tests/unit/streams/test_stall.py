"""When a worker counts as standing still, and above all when it does not."""

from streams.lanes import Partition
from streams.stall import Sight, Stall, StallRule, Standing

ZERO, ONE = Partition("raw", 0), Partition("raw", 1)
LIMIT_S = 60.0


def verdict(*sights: Sight, every_s: float = 10.0) -> Stall | None:
    """What the rule says at the last of these, seen one after the other."""
    rule, found = StallRule(LIMIT_S), None
    for n, sight in enumerate(sights):
        found = rule.seen(sight, now_s=n * every_s)
    return found


def waiting(position: int = 5, end: int = 9, *, in_flight: int = 0, others_go_on: bool = False) -> Sight:
    return Sight(standings={ZERO: Standing(position, end)}, in_flight={ZERO: in_flight}, others_go_on=others_go_on)


def test_frames_that_wait_for_the_whole_limit_are_a_stall() -> None:
    found = verdict(*[waiting()] * 7)
    assert found == Stall(ZERO, Standing(5, 9), 60.0)
    assert str(found) == "nothing was committed for 60 s though frames wait: raw/0 stands at offset 5 of 9"


def test_before_the_limit_it_is_none() -> None:
    assert verdict(*[waiting()] * 6) is None


def test_frames_in_hand_do_not_excuse_a_worker_in_which_nothing_goes_on() -> None:
    assert verdict(*[waiting(in_flight=3)] * 7) is not None


def test_a_partition_that_is_slow_while_others_go_on_is_none() -> None:
    assert verdict(*[waiting(in_flight=3, others_go_on=True)] * 9) is None


def test_a_partition_of_which_nothing_is_taken_is_a_stall_though_others_go_on() -> None:
    assert verdict(*[waiting(others_go_on=True)] * 7) is not None


def test_an_idle_partition_is_none() -> None:
    assert verdict(*[waiting(9, 9)] * 9) is None


def test_the_time_runs_from_the_moment_at_which_frames_wait() -> None:
    assert verdict(*[waiting(9, 9)] * 9, *[waiting(9, 12)] * 6) is None
    assert verdict(*[waiting(9, 9)] * 9, *[waiting(9, 12)] * 7) is not None


def test_a_position_that_moves_begins_the_time_anew() -> None:
    assert verdict(*[waiting(5)] * 6, *[waiting(6)] * 6) is None


def test_whoever_else_commits_in_the_group_counts() -> None:
    both = [
        Sight(standings={ZERO: Standing(5, 9), ONE: Standing(n, 99)}, in_flight={ZERO: 1, ONE: 1}) for n in range(9)
    ]
    assert verdict(*both) is None


def test_what_explains_it_begins_the_time_anew() -> None:
    rule = StallRule(LIMIT_S)
    for now_s in range(0, 60, 10):
        assert rule.seen(waiting(), now_s=now_s) is None
    rule.clear()
    assert rule.seen(waiting(), now_s=60) is None


def test_a_topic_that_was_made_again_and_is_shorter_is_none() -> None:
    assert verdict(*[waiting(500, 20)] * 9) is None
