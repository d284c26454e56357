import pytest
from consumer_support import frame_of
from hypothesis import given
from hypothesis import strategies as st

from consumers.seen import SeenFrames, SeenSequences

sequences = st.lists(st.integers(0, 200), max_size=300)
identities = st.tuples(
    st.sampled_from(["gate-1", "gate-2"]),
    st.sampled_from(["e1", "e2", "@frames.raw-0"]),
    st.integers(0, 30),
    st.sampled_from(["privacy", "motion"]),
)


@given(sequences)
def test_each_sequence_is_new_once_whatever_the_order(numbers: list[int]) -> None:
    seen = SeenSequences()
    assert [number for number in numbers if seen.add(number)] == list(dict.fromkeys(numbers))


@given(sequences)
def test_missing_is_what_lies_between_and_has_not_come(numbers: list[int]) -> None:
    seen = SeenSequences()
    for number in numbers:
        seen.add(number)
    between = set(range(min(numbers, default=0), max(numbers, default=0))) - set(numbers)
    assert seen.missing == len(between)


@given(st.lists(identities, max_size=200))
def test_each_identity_comes_once(names: list[tuple[str, str, int, str]]) -> None:
    seen = SeenFrames()
    new = [
        name for name in names if seen.add(frame_of(name[0], name[2], epoch=name[1], pipeline=name[3], data=b"x"))[0]
    ]
    assert new == list(dict.fromkeys(names))


@given(sequences)
def test_with_few_runs_nothing_new_is_ever_dropped(numbers: list[int]) -> None:
    seen = SeenSequences(max_runs=3)
    admitted = [number for number in numbers if seen.add(number)]
    assert set(admitted) == set(numbers)


def test_a_long_stream_without_gaps_is_one_run_and_a_rewind_is_known() -> None:
    seen = SeenSequences(max_runs=1)
    assert all(seen.add(number) for number in range(100_000))
    assert not any(seen.add(number) for number in range(0, 100_000, 997))


def test_the_oldest_runs_are_forgotten_first() -> None:
    seen = SeenSequences(max_runs=2)
    for number in (0, 10, 20, 30):
        seen.add(number)
    assert not seen.add(20)
    assert not seen.add(30)
    assert seen.add(0)
    assert seen.missing == 27


def test_the_largest_sequence_that_the_contract_reads_is_fine() -> None:
    seen = SeenSequences()
    assert seen.add(10**19 - 1)
    assert not seen.add(10**19 - 1)


def test_the_epoch_that_was_silent_the_longest_is_forgotten() -> None:
    seen = SeenFrames(max_epochs=2)
    for epoch in ("e1", "e2", "e1", "e3"):
        seen.add(frame_of(sequence=0, epoch=epoch))
    assert not seen.add(frame_of(sequence=0, epoch="e1"))[0]
    assert seen.add(frame_of(sequence=0, epoch="e2"))[0]


SECOND_NS = 10**9


@pytest.mark.parametrize("pipeline", ["", "demo"])
def test_a_topic_that_is_made_again_counts_its_offsets_anew(pipeline: str) -> None:
    seen = SeenFrames()

    def new(offset: int, second: int) -> bool:
        at_ns = second * SECOND_NS
        epoch = "@frames.raw-0"
        return seen.add(frame_of(sequence=offset, epoch=epoch, captured_at_ns=at_ns, pipeline=pipeline, data=b"x"))[0]

    assert all(new(offset, offset) for offset in range(10))
    assert not any(new(offset, offset) for offset in range(10)), "a rewind goes back in both"
    assert all(new(offset, 100 + offset) for offset in range(20)), "frames that have never been seen"
    assert not any(new(offset, 100 + offset) for offset in range(20))
    assert new(19, 200), "a new topic whose first frame has the offset of the last one"


def test_a_frame_of_a_producer_that_comes_again_with_a_later_clock_is_a_repeat() -> None:
    seen = SeenFrames()
    assert seen.add(frame_of(sequence=3, captured_at_ns=SECOND_NS))[0]
    assert not seen.add(frame_of(sequence=3, captured_at_ns=2 * SECOND_NS))[0]
