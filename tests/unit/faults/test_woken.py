"""What a woken worker publishes that is not its own, and commits that go back: each is found."""

import threading
from collections.abc import Iterator, Mapping

import pytest
from f04_woken import Answer, CommitWatch, Waking, late_answers, others_frames
from ledger import Confirmed, FrameName, Ledger, Place

WOKEN, OTHER = "fault@a", "fault@b"
NEVER = float("inf")
# Paused at 100, when frames 0 to 9 had been sent; woken at 110.
WAKING = Waking(pipeline=WOKEN, partitions=frozenset({0}), paused_s=100.0, woken_s=110.0, joined_s=112.0)


def ledger() -> Ledger:
    found = Ledger()
    for n in range(20):
        name, place = FrameName("a", "e", n), Place(0, n)
        found.confirm(Confirmed(name=name, place=place, sent_s=99.0 if n < 10 else 105.0))
    return found


def answer(n: int, pipeline: str, *, taken_s: float, at_s: float, partition: int = 0) -> Answer:
    return Answer(pipeline, Place(partition, n), taken_s, at_s)


def test_what_was_in_hand_is_published_late_and_is_nobody_elses_frame() -> None:
    late = answer(5, WOKEN, taken_s=99.5, at_s=110.1)
    answers = [answer(5, OTHER, taken_s=104.0, at_s=104.1), late]
    assert late_answers(answers, WAKING, before_s=NEVER) == [late]
    assert others_frames(ledger(), answers, WAKING, before_s=NEVER) == []


def test_what_was_taken_in_after_the_waking_is_anothers_whoever_was_first() -> None:
    for at_s in (110.0, 110.5):
        taken = answer(12, WOKEN, taken_s=110.1, at_s=110.2)
        answers = [answer(12, OTHER, taken_s=at_s, at_s=at_s), taken]
        assert others_frames(ledger(), answers, WAKING, before_s=NEVER) == [taken]


@pytest.mark.parametrize(
    "own",
    [
        # Before the pause, and not committed: the other one does it again.
        answer(3, WOKEN, taken_s=99.1, at_s=99.2),
        # After it has joined again: nobody else answers that.
        answer(15, WOKEN, taken_s=113.0, at_s=113.1),
        # A partition that it did not have.
        answer(12, WOKEN, taken_s=110.1, at_s=110.2, partition=1),
        # When another one is paused, what that one has not committed is done again.
        answer(12, WOKEN, taken_s=120.1, at_s=120.2),
    ],
)
def test_all_else_is_its_own(own: Answer) -> None:
    answers = [answer(n, OTHER, taken_s=104.0, at_s=104.1) for n in (3, 12)] + [own]
    assert late_answers(answers, WAKING, before_s=120.0) == []


def watched(positions: list[Mapping[int, int]]) -> CommitWatch:
    answers: Iterator[Mapping[int, int]] = iter(positions)
    done = threading.Event()

    def committed() -> Mapping[int, int]:
        found = next(answers, None)
        if found is None:
            done.set()
            return {}
        return found

    watch = CommitWatch(committed, every_s=0.001)
    with watch:
        assert done.wait(10)
    return watch


def test_commits_that_go_back_are_counted() -> None:
    assert watched([{0: 1}, {0: 5, 1: 2}, {}, {0: 5, 1: 3}]).went_back == 0
    assert watched([{0: 5}, {0: 4, 1: 1}, {0: 6, 1: 1}, {0: 6, 1: 0}]).went_back == 2


def test_a_watch_that_learns_nothing_says_so() -> None:
    asked = threading.Event()

    def committed() -> Mapping[int, int]:
        asked.set()
        raise LookupError("no such group")

    with pytest.raises(LookupError, match="no such group"), CommitWatch(committed, every_s=0.001):
        assert asked.wait(10)
