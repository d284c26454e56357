"""The figures of the fault runner: each can fail."""

import pytest
from figures import (
    COMMIT_INTERVAL_S,
    LANE_FRAMES,
    Figure,
    Injury,
    at_most,
    by_sending,
    dark_s,
    exactly,
    lost,
    may_repeat,
    out_of_order,
    recovery_s,
    repeats,
    shown,
    slope,
    strangers,
    wrong_letters,
)
from ledger import Confirmed, FrameName, Ledger, Place
from reader import Arrival


def ledger_of(count: int, *, bad: dict[int, str] | None = None, partition: int = 0) -> Ledger:
    """A camera's frames, one each 0.1 s from 100 on; bad: reasons by sequence."""
    ledger = Ledger()
    for n in range(count):
        ledger.confirm(
            Confirmed(
                name=FrameName("a", "e", n),
                place=Place(partition, n),
                sent_s=100 + n / 10,
                reason=(bad or {}).get(n, ""),
            )
        )
    return ledger


def output(n: int, *, at_s: float | None = None, partition: int = 0) -> Arrival:
    at_s = 100.05 + n / 10 if at_s is None else at_s
    return Arrival(name=FrameName("a", "e", n), source=Place(partition, n), at_s=at_s, taken_s=at_s - 0.02)


def letter(n: int, reason: str, *, stage: str = "gate") -> Arrival:
    return Arrival(name=FrameName("a", "e", n), source=Place(0, n), at_s=100.05 + n / 10, reason=reason, stage=stage)


def test_what_nobody_answered_is_lost() -> None:
    arrivals = [output(0), letter(2, "empty")]
    assert lost(ledger_of(3), arrivals) == {Place(0, 1)}
    assert lost(ledger_of(3), [*arrivals, output(1)]) == set()


def test_what_is_not_in_the_ledger_or_has_another_name_is_a_stranger() -> None:
    wrong = Arrival(name=FrameName("b", "e", 1), source=Place(0, 1), at_s=100)
    assert strangers(ledger_of(2), [output(0), output(7), wrong]) == [output(7), wrong]


def test_the_letter_of_forged_headers_has_the_name_that_they_say() -> None:
    def letter_of(n: int) -> Arrival:
        return Arrival(name=FrameName("gate-9", "e", 0), source=Place(0, n), at_s=100, reason="bad_headers")

    assert strangers(ledger_of(3, bad={1: "bad_headers", 2: "empty"}), [letter_of(1)]) == []
    # A frame without forged headers never does.
    assert strangers(ledger_of(3, bad={2: "empty"}), [letter_of(1), letter_of(2)]) == [letter_of(1), letter_of(2)]


def test_a_second_answer_is_a_repeat_be_it_of_another_kind() -> None:
    assert repeats([output(0), output(1)]) == 0
    assert repeats([output(0), output(1), output(0), letter(1, "operator_timeout")]) == 2


def test_only_first_occurrences_can_be_out_of_order() -> None:
    assert out_of_order([output(n) for n in (0, 1, 2, 1, 2, 3)]) == 0
    assert out_of_order([output(n) for n in (0, 2, 1, 3)]) == 1


def test_recovery_is_that_of_the_slowest_partition_that_was_hit() -> None:
    injury = Injury(101.0, frozenset({0, 1}))
    # Taken in before the injury, and a repeat: neither is a recovery.
    before = [
        output(1, at_s=100.2),
        Arrival(name=FrameName("a", "e", 5), source=Place(0, 5), at_s=101.1, taken_s=100.9),
    ]
    again = output(1, at_s=102.0)
    assert recovery_s([*before, again], [injury]) == [float("inf")]
    arrivals = [*before, again, output(6, at_s=103.0), output(9, at_s=105.0, partition=1)]
    assert recovery_s(arrivals, [injury]) == [4.0]


def test_where_the_producer_is_hit_recovery_is_that_of_frames_sent_afterwards() -> None:
    # Sent at 100.0 to 100.9, taken in late.
    ledger, arrivals = ledger_of(10), [output(n, at_s=102.0 + n / 10) for n in range(10)]
    injury = Injury(100.45, frozenset({0}))
    assert recovery_s(arrivals, [injury]) == [pytest.approx(1.55)]
    assert recovery_s(by_sending(ledger, arrivals), [injury]) == [pytest.approx(2.05)]


def test_the_longest_silence_is_between_new_outputs_of_a_camera() -> None:
    assert dark_s([output(0, at_s=1.0), output(1, at_s=1.5), output(0, at_s=3.0), output(2, at_s=4.0)]) == 2.5
    assert dark_s([]) == 0.0


def test_a_kill_may_repeat_a_commit_interval_and_what_was_in_flight() -> None:
    # Ten frames a second: six in a commit interval, both its ends counted; two wait for their answer.
    ledger, injury = ledger_of(20), Injury(102.0, frozenset({0}))
    assert may_repeat(ledger, [output(n) for n in range(18)], injury) == round(10 * COMMIT_INTERVAL_S) + 1 + 2
    # A lane takes in no more than so many, however many wait.
    assert may_repeat(ledger_of(1000), [], Injury(1000.0, frozenset({0}))) == LANE_FRAMES
    assert may_repeat(ledger, [], Injury(102.0, frozenset({1}))) == 0


def test_dead_letters_are_those_of_the_bad_frames_with_their_reasons() -> None:
    ledger = ledger_of(3, bad={1: "empty"})
    assert wrong_letters(ledger, [output(0), letter(1, "empty"), output(2)]) == []
    assert len(wrong_letters(ledger, [output(0), output(1)])) == 1
    assert len(wrong_letters(ledger, [letter(1, "undecodable")])) == 1
    assert len(wrong_letters(ledger, [letter(1, "empty"), letter(2, "operator_timeout")])) == 1


def test_the_stage_counts_where_it_is_known() -> None:
    ledger = Ledger()
    ledger.confirm(
        Confirmed(name=FrameName("a", "e", 0), place=Place(0, 0), sent_s=0, reason="bad_result", stage="0:odd")
    )
    assert wrong_letters(ledger, [letter(0, "bad_result", stage="0:odd")]) == []
    assert wrong_letters(ledger, [letter(0, "bad_result", stage="1:odd")]) != []


def test_a_slope_is_that_of_the_line_through_the_samples() -> None:
    assert slope([(0, 100), (60, 160), (120, 220)]) == pytest.approx(1.0)
    assert slope([(0, 100)]) == 0.0


def test_nothing_is_confirmed_twice() -> None:
    ledger = ledger_of(1)
    with pytest.raises(AssertionError, match="twice"):
        ledger.confirm(ledger.frames()[Place(0, 0)])


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (exactly("lost", 0, 0), True),
        (exactly("lost", 1, 0), False),
        (exactly("dead letters", 3, 4), False),
        (at_most("recovery s", 8.0, 8.0), True),
        (at_most("recovery s", 8.1, 8.0), False),
        (at_most("recovery s", float("inf"), 8.0), False),
        (shown("frames", 7), True),
    ],
)
def test_a_figure_is_met_or_not(figure: Figure, met: bool) -> None:
    assert figure.met is met
