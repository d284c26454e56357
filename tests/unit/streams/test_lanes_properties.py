"""A lane against a plain model, whatever happens in whatever order; and the model finds lanes with a defect.

Completions, failures, late results, deliveries, a publisher without room, frames that only keep their place, repeats,
gaps, shedding, kills and new generations: nothing is published out of order, nothing committed past an unfinished
frame, and every frame that was taken in is settled, given back or still there, once.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from streams.lanes import Entry, Lane, LaneLimits, Partition

LIMITS = LaneLimits(frames=6, size=10_000)
FAST = settings(
    derandomize=True, max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

FrameEntry = Entry[str, str]
RESULTS = st.sampled_from(["processed", "events too", "filtered", "dead letter", "timed out"])


class LaneModel(RuleBasedStateMachine):
    """One partition through generations. A frame's work says whether somebody has begun it."""

    lane_type: type[Lane[str, str]] = Lane
    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.generation, self.committed, self.room = 0, 0, True
        # Of the topic, over all generations: what has reached the broker at least once.
        self.answered: set[int] = set()
        # Records that the broker has not confirmed yet, of lanes that are killed as well.
        self.on_their_way: list[FrameEntry] = []
        self.new_lane()

    def new_lane(self) -> None:
        self.generation += 1
        self.lane = self.lane_type(Partition("raw", 0), self.generation, limits=LIMITS, publish=self.publish)
        self.fetched = self.committed
        # Of this generation, by offset: where each frame stands. A frame is in exactly one of these.
        self.present: dict[int, FrameEntry] = {}
        self.settled: set[int] = set()
        self.handed_over: list[int] = []
        self.undelivered: dict[int, int] = {}
        self.taken: list[int] = []

    def publish(self, entry: FrameEntry) -> bool:
        assert entry.lane is self.lane and not entry.lane.killed, "published for a partition that is not ours"
        assert entry.result is not None, "published without a result"
        if not self.room:
            return False
        before = [offset for offset in self.taken if offset < entry.offset]
        assert self.handed_over == before, "published out of order, or twice"
        self.handed_over.append(entry.offset)
        entry.pending = 0 if entry.result == "filtered" else 2 if entry.result == "events too" else 1
        self.undelivered[entry.offset] = entry.pending
        self.on_their_way += [entry] * entry.pending
        if not entry.pending:
            self.answered.add(entry.offset)
        return True

    @rule(target=entries, gap=st.integers(0, 2), begun=st.booleans())
    def take(self, gap: int, begun: bool) -> FrameEntry | None:
        offset = self.fetched + gap
        entry = self.lane.add(offset=offset, size=100, work="begun" if begun else "")
        assert entry is not None, "a new frame was refused"
        self.fetched = offset + 1
        self.taken.append(offset)
        self.present[offset] = entry
        return entry

    @rule(back=st.integers(1, 8))
    def read_again(self, back: int) -> None:
        # Faust seeks back within a generation: what is there, or settled, must not come in twice.
        offset = self.fetched - back
        if offset in self.present or offset in self.settled:
            assert self.lane.add(offset=offset, size=100, work="") is None

    @precondition(lambda self: self.unfinished())
    @rule(number=st.integers(0, 5), result=RESULTS)
    def complete(self, number: int, result: str) -> None:
        waiting = self.unfinished()
        self.lane.complete(waiting[number % len(waiting)], result)
        self.note_settled()

    def unfinished(self) -> list[FrameEntry]:
        return [entry for entry in self.present.values() if entry.result is None]

    @rule(entry=entries, result=RESULTS)
    def complete_late(self, entry: FrameEntry, result: str) -> None:
        # The thread of a frame that had its deadline, or whose partition is gone, comes to an end after all.
        if entry.result is not None or entry.lane is not self.lane:
            first = entry.result
            entry.lane.complete(entry, result)
            assert first is None or entry.result == first, "a late result took the place of the first"
            self.note_settled()

    @precondition(lambda self: self.on_their_way)
    @rule(number=st.integers(0, 20))
    def deliver(self, number: int) -> None:
        entry = self.on_their_way.pop(number % len(self.on_their_way))
        entry.lane.delivered(entry)
        if entry.lane is self.lane:
            self.undelivered[entry.offset] -= 1
        if not entry.pending:
            self.answered.add(entry.offset)
        self.note_settled()

    @rule(entry=entries)
    def lighten(self, entry: FrameEntry) -> None:
        if self.present.get(entry.offset) is entry and entry.result is None:
            entry.lane.lighten(entry)
            entry.lane.complete(entry, "filtered")
            self.note_settled()

    @precondition(lambda self: self.room and self.generation % 2 == 0)
    @rule()
    def publisher_is_full(self) -> None:
        self.room = False

    @precondition(lambda self: not self.room)
    @rule()
    def publisher_has_room(self) -> None:
        self.room = True
        self.lane.advance()
        self.note_settled()

    @rule()
    def shed(self) -> None:
        dropped = self.lane.shed(lambda work: work == "begun")
        offsets = [entry.offset for entry in dropped]
        assert not set(offsets) & set(self.handed_over), "gave back what is published"
        assert offsets == sorted(self.present)[len(self.present) - len(offsets) :][::-1], "gave back out of the middle"
        assert not offsets or dropped[-1].work != "begun"
        for offset in offsets:
            del self.present[offset]
        self.taken = [offset for offset in self.taken if offset not in offsets]
        self.fetched = min([self.fetched, *offsets])

    @rule()
    def commit(self) -> None:
        if self.lane.position is not None:
            assert self.lane.position >= self.committed, "the position went back"
            self.committed = self.lane.committed = self.lane.position

    @precondition(lambda self: self.generation < 5)
    @rule()
    def rebalance(self) -> None:
        left = {entry.offset for entry in self.lane.kill()}
        assert left == set(self.present), "a frame was neither settled nor given back, or both"
        self.new_lane()

    def note_settled(self) -> None:
        position = self.lane.position
        for offset in [each for each in self.present if position is not None and each < position]:
            assert self.undelivered.get(offset) == 0, "the position passed an unfinished frame"
            del self.present[offset]
            self.settled.add(offset)

    @invariant()
    def nothing_unanswered_is_committed(self) -> None:
        position = self.lane.position
        if position is not None:
            assert all(offset in self.answered for offset in self.taken if offset < position)

    @invariant()
    def every_frame_is_somewhere_once(self) -> None:
        assert sorted([*self.present, *self.settled]) == self.taken
        assert len(self.lane) == len(self.present)
        assert self.lane.size == sum(entry.size for entry in self.present.values())

    @invariant()
    def nothing_is_held_up(self) -> None:
        # What is next in order, has its result and finds room is handed over at once.
        following = next((offset for offset in self.taken if offset not in self.handed_over), None)
        if self.room and following is not None:
            assert self.present[following].result is None
        oldest = self.lane.oldest()
        assert oldest is None or not oldest.settled

    @invariant()
    def full_and_roomy_follow_what_is_held(self) -> None:
        heavy = [entry for entry in self.present.values() if not entry.light]
        assert self.lane.full == (len(heavy) >= LIMITS.frames)
        assert self.lane.roomy == (len(heavy) <= LIMITS.frames // 2)


def test_a_lane_keeps_its_promises_in_any_order() -> None:
    run_state_machine_as_test(LaneModel, settings=FAST)


class PublishesAsItFinishes(Lane[str, str]):
    """Does not wait for the frame before."""

    def complete(self, entry: FrameEntry, result: str) -> None:
        if not self.killed and entry.result is None:
            entry.result = result
            if self._publish(entry):
                self._unpublished.remove(entry)
                entry.published = True
                self._settle()


class CommitsPastUnfinished(Lane[str, str]):
    """Moves its position to whatever was delivered last."""

    def delivered(self, entry: FrameEntry) -> None:
        super().delivered(entry)
        if not self.killed and entry.settled:
            self.position = max(self.position or 0, entry.offset + 1)


class TakesTwice(Lane[str, str]):
    """Does not know what it has had already."""

    def add(self, *, offset: int, size: int, work: str) -> FrameEntry | None:
        self.next_offset = min(self.next_offset, offset)
        return super().add(offset=offset, size=size, work=work)


class TakesTheLastResult(Lane[str, str]):
    """A result that comes after the deadline counts."""

    def complete(self, entry: FrameEntry, result: str) -> None:
        super().complete(entry, result)
        if not self.killed:
            entry.result = result


class PublishesWhenKilled(Lane[str, str]):
    """Goes on for a partition that it has lost."""

    def kill(self) -> list[FrameEntry]:
        left = list(self._entries)
        self._entries.clear()
        return left

    def complete(self, entry: FrameEntry, result: str) -> None:
        self.killed = False
        super().complete(entry, result)


class ShedsBegunFrames(Lane[str, str]):
    """Gives back what somebody is at."""

    def shed(self, begun: Callable[[str], bool]) -> list[FrameEntry]:
        return super().shed(lambda work: False)


class ForgetsSomeThatItSheds(Lane[str, str]):
    """Does not tell of the last frame that it gives back."""

    def shed(self, begun: Callable[[str], bool]) -> list[FrameEntry]:
        return super().shed(begun)[1:]


class LosesFramesWhenThereIsNoRoom(Lane[str, str]):
    """Takes a frame for published that the publisher had no room for."""

    def advance(self) -> None:
        while self._unpublished and self._unpublished[0].result is not None and not self.killed:
            entry = self._unpublished.popleft()
            self._publish(entry)
            entry.published = True
            if entry.pending == 0:
                self._settle()


class ForgetsToLighten(Lane[str, str]):
    """Counts a frame that only keeps its place as if it held its bytes."""

    def lighten(self, entry: FrameEntry) -> None:
        if not self.killed:
            entry.light = True


DEFECTS = [
    PublishesAsItFinishes,
    CommitsPastUnfinished,
    TakesTwice,
    TakesTheLastResult,
    PublishesWhenKilled,
    ShedsBegunFrames,
    ForgetsSomeThatItSheds,
    LosesFramesWhenThereIsNoRoom,
    ForgetsToLighten,
]


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_lane_with_a_defect_is_found_out(defect: type[Lane[str, str]]) -> None:
    model = type("DefectModel", (LaneModel,), {"lane_type": defect})
    with pytest.raises((AssertionError, IndexError, ValueError)):
        run_state_machine_as_test(model, settings=settings(FAST, max_examples=1000, phases=[Phase.generate]))
