"""Lanes: whatever order things happen in, nothing is published out of order or committed past an unfinished frame."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from streams.lanes import Entry, Lane, LaneLimits, Partition

LIMITS = LaneLimits(frames=1000, size=10**9)


def make_lane(published: list[int], *, records: int = 1, limits: LaneLimits = LIMITS) -> Lane[str, str]:
    def publish(entry: Entry[str, str]) -> bool:
        published.append(entry.offset)
        entry.pending = records
        return True

    return Lane(Partition("frames.raw", 0), 1, limits=limits, publish=publish)


def test_a_frame_waits_for_the_one_before_it() -> None:
    published: list[int] = []
    lane = make_lane(published)
    first, second = (lane.add(offset=offset, size=1, work="") for offset in (10, 11))
    assert first
    assert second

    lane.complete(second, "done")
    assert published == []

    lane.complete(first, "done")
    assert published == [10, 11]


def test_the_position_moves_over_what_is_delivered_without_a_gap() -> None:
    lane = make_lane([])
    entries = [lane.add(offset=offset, size=1, work="") for offset in (10, 11, 15)]
    for entry in entries:
        assert entry
        lane.complete(entry, "done")

    lane.delivered(entries[1])  # type: ignore[arg-type]
    assert lane.position is None

    lane.delivered(entries[0])  # type: ignore[arg-type]
    assert lane.position == 12

    # Offsets 12 to 14 do not exist in the topic: the position is the one after what was read.
    lane.delivered(entries[2])  # type: ignore[arg-type]
    assert lane.position == 16
    assert len(lane) == 0


def test_a_frame_without_records_is_settled_when_its_turn_comes() -> None:
    lane = make_lane([], records=0)
    entry = lane.add(offset=0, size=1, work="")
    assert entry
    lane.complete(entry, "filtered")
    assert lane.position == 1


def test_what_is_read_twice_within_a_generation_is_taken_once() -> None:
    lane = make_lane([])
    assert lane.add(offset=7, size=1, work="")
    assert lane.add(offset=7, size=1, work="") is None
    assert lane.add(offset=6, size=1, work="") is None


def test_only_the_first_result_counts() -> None:
    published: list[int] = []
    lane = make_lane(published)
    entry = lane.add(offset=0, size=1, work="")
    assert entry
    lane.complete(entry, "timed out")
    lane.complete(entry, "late")
    assert entry.result == "timed out"
    assert published == [0]


def test_shedding_gives_back_all_from_the_first_unbegun_frame_on() -> None:
    published: list[int] = []
    lane = make_lane(published)
    entries = [lane.add(offset=offset, size=1, work=str(offset)) for offset in range(5)]
    lane.complete(entries[3], "done")  # type: ignore[arg-type]

    dropped = lane.shed(lambda work: work in {"0", "1", "4"})

    assert [entry.offset for entry in dropped] == [4, 3, 2]
    assert lane.next_offset == 2
    for entry in entries[:2]:
        lane.complete(entry, "done")  # type: ignore[arg-type]
    assert published == [0, 1]


def test_a_killed_lane_publishes_and_commits_nothing() -> None:
    published: list[int] = []
    lane = make_lane(published)
    first, second = (lane.add(offset=offset, size=1, work="") for offset in (0, 1))
    assert first
    assert second
    lane.complete(first, "done")
    assert [entry.offset for entry in lane.kill()] == [0, 1]

    lane.complete(second, "done")
    lane.delivered(first)
    assert published == [0]
    assert lane.position is None


def test_full_by_count_or_by_bytes_and_roomy_at_half() -> None:
    lane = make_lane([], limits=LaneLimits(frames=4, size=100))
    entry = lane.add(offset=0, size=100, work="")
    assert entry
    assert lane.full
    lane.complete(entry, "done")
    lane.delivered(entry)
    assert lane.roomy
    for offset in range(1, 5):
        lane.add(offset=offset, size=1, work="")
    assert lane.full
    assert not lane.roomy


def test_what_only_keeps_its_place_fills_no_lane_up_to_a_limit() -> None:
    lane = make_lane([], records=0, limits=LaneLimits(frames=4, size=100, light=2))
    held = lane.add(offset=0, size=60, work="")
    assert held
    for offset in range(1, 8):
        assert not lane.full
        entry = lane.add(offset=offset, size=60, work="")
        assert entry
        lane.lighten(entry)
        lane.complete(entry, "skipped")
    assert lane.size == 60
    assert lane.full
    lane.complete(held, "done")
    assert (len(lane), lane.size, lane.roomy) == (0, 0, True)
    entry = lane.add(offset=8, size=100, work="")
    assert lane.full


def test_a_publisher_without_room_is_asked_again_in_order() -> None:
    published: list[int] = []
    room = False

    def publish(entry: Entry[str, str]) -> bool:
        if room:
            published.append(entry.offset)
        return room

    lane: Lane[str, str] = Lane(Partition("t", 0), 1, limits=LIMITS, publish=publish)
    for offset in range(3):
        entry = lane.add(offset=offset, size=1, work="")
        assert entry
        lane.complete(entry, "done")
    assert published == []
    room = True
    lane.advance()
    assert published == [0, 1, 2]


@given(st.permutations(range(12)), st.permutations(range(12)))
def test_any_order_of_completion_and_delivery(completions: list[int], deliveries: list[int]) -> None:
    published: list[int] = []
    lane = make_lane(published)
    entries = [lane.add(offset=offset, size=1, work="") for offset in range(12)]
    for offset in completions:
        lane.complete(entries[offset], "done")  # type: ignore[arg-type]
    assert published == list(range(12))
    for n, offset in enumerate(deliveries):
        lane.delivered(entries[offset])  # type: ignore[arg-type]
        done = set(deliveries[: n + 1])
        prefix = next((o for o in range(12) if o not in done), 12)
        assert (lane.position or 0) == prefix


class LaneMachine(RuleBasedStateMachine):
    """A lane against a plain model, through generations, gaps, repeats, timeouts, shedding and kills."""

    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.generation = 0
        self.offset = 0
        self.fresh()

    def fresh(self) -> None:
        self.generation += 1
        self.published: list[int] = []
        self.taken: list[int] = []
        self.settled: set[int] = set()
        self.lane = make_lane(self.published)

    @rule(target=entries, gap=st.integers(0, 3), begun=st.booleans())
    def add(self, gap: int, begun: bool) -> Entry[str, str] | None:
        self.offset = max(self.offset, self.lane.next_offset) + gap
        entry = self.lane.add(offset=self.offset, size=1, work="begun" if begun else "")
        assert entry is not None
        self.taken.append(self.offset)
        return entry

    @rule(entry=entries)
    def complete(self, entry: Entry[str, str]) -> None:
        if entry.lane is not self.lane or entry.offset in self.taken:
            entry.lane.complete(entry, "done")

    @rule(entry=entries)
    def deliver(self, entry: Entry[str, str]) -> None:
        if entry.published and entry.pending:
            entry.lane.delivered(entry)
            if entry.lane is self.lane:
                self.settled.add(entry.offset)

    @rule()
    def shed(self) -> None:
        dropped = {entry.offset for entry in self.lane.shed(lambda work: work == "begun")}
        assert not dropped & set(self.published)
        self.taken = [offset for offset in self.taken if offset not in dropped]
        self.offset = min([self.offset, *dropped]) if dropped else self.offset

    @precondition(lambda self: self.generation < 5)
    @rule()
    def rebalance(self) -> None:
        self.lane.kill()
        self.offset = self.lane.position or 0
        self.fresh()

    @invariant()
    def published_is_a_prefix_of_what_was_taken(self) -> None:
        assert self.published == self.taken[: len(self.published)]

    @invariant()
    def position_never_passes_an_unsettled_frame(self) -> None:
        if self.lane.position is not None:
            assert all(offset in self.settled for offset in self.taken if offset < self.lane.position)


TestLaneMachine = LaneMachine.TestCase
