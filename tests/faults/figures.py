"""The figures: what ledger and reader say of a run, each with what it must keep to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ledger import FrameName, Ledger, Place
from reader import Arrival

# A worker's settings that bound what a kill repeats (streams/settings.py).
COMMIT_INTERVAL_S = 0.5
LANE_FRAMES = 32
LOOK_BACK_S = 2 * COMMIT_INTERVAL_S


@dataclass(frozen=True, slots=True)
class Figure:
    """A named value of one run. limit: at most that; exact: that and nothing else; None: only shown."""

    name: str
    value: float
    limit: float | None = None
    exact: bool = False

    @property
    def met(self) -> bool:
        """Whether the value keeps to its limit."""
        if self.limit is None:
            return True
        return self.value == self.limit if self.exact else self.value <= self.limit


def shown(name: str, value: float) -> Figure:
    """A figure that is only shown."""
    return Figure(name, value)


def at_most(name: str, value: float, limit: float) -> Figure:
    """A figure with an upper limit."""
    return Figure(name, value, limit)


def exactly(name: str, value: float, wanted: float) -> Figure:
    """A figure that must be this."""
    return Figure(name, value, wanted, exact=True)


@dataclass(frozen=True, slots=True)
class Injury:
    """What was done, when (s since 1970), and the partitions that whoever was hit had.

    until_s: when it was over, where it lasts; 0 where it is over at once.
    """

    at_s: float
    partitions: frozenset[int]
    what: str = ""
    until_s: float = 0.0


def lost(ledger: Ledger, arrivals: Iterable[Arrival]) -> set[Place]:
    """What the broker has confirmed and nobody has answered."""
    return set(ledger.frames()) - {arrival.source for arrival in arrivals}


def strangers(ledger: Ledger, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Outputs and dead letters of what is not in the ledger, or under another name than its frame's.

    The dead letter of forged headers has those, whatever they say.
    """
    frames = ledger.frames()

    def strange(arrival: Arrival) -> bool:
        frame = frames.get(arrival.source)
        if frame is None or not arrival.is_letter:
            return frame is None or arrival.name != frame.name
        return arrival.name not in (None, frame.name) and frame.reason != "bad_headers"

    return [arrival for arrival in arrivals if strange(arrival)]


def repeats(arrivals: Sequence[Arrival]) -> int:
    """How many records on the wire answer what had its answer."""
    return len(arrivals) - len({arrival.source for arrival in arrivals})


def first_occurrences(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Outputs without their repeats, each where it came first."""
    first: dict[FrameName, Arrival] = {}
    for arrival in arrivals:
        if arrival.name and not arrival.is_letter:
            first.setdefault(arrival.name, arrival)
    return list(first.values())


def out_of_order(arrivals: Iterable[Arrival]) -> int:
    """How many outputs came, for the first time, after a later one of their camera and epoch."""
    newest: dict[tuple[str, str], int] = {}
    late = 0
    for arrival in first_occurrences(arrivals):
        assert arrival.name is not None
        run, sequence = arrival.name[:2], arrival.name.sequence
        late += sequence < newest.get(run, -1)
        newest[run] = max(sequence, newest.get(run, -1))
    return late


def recovery_s(arrivals: Iterable[Arrival], injuries: Iterable[Injury]) -> list[float]:
    """For each injury: seconds to the first new output of a frame taken in after it, of the slowest partition hit.

    Infinite where there is none.
    """
    firsts = first_occurrences(arrivals)

    def recovered(injury: Injury, partition: int) -> float:
        new = (a.at_s for a in firsts if a.source.partition == partition and a.taken_s > injury.at_s)
        return min(new, default=float("inf")) - injury.at_s

    return [max(recovered(injury, partition) for partition in injury.partitions) for injury in injuries]


def by_sending(ledger: Ledger, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """The same, with when each frame was sent in place of when a worker took it in.

    For where the producer is hit: a worker goes on with what is there, which is no recovery.
    """
    frames = ledger.frames()
    return [replace(a, taken_s=frames[a.source].sent_s if a.source in frames else 0.0) for a in arrivals]


def dark_s(arrivals: Iterable[Arrival]) -> float:
    """The longest silence of a camera between two new outputs, in seconds; 0 where no camera has two."""
    times: dict[str, list[float]] = defaultdict(list)
    for arrival in first_occurrences(arrivals):
        assert arrival.name is not None
        times[arrival.name.camera_id].append(arrival.at_s)
    return max((after - before for each in times.values() for before, after in pairwise(sorted(each))), default=0.0)


def may_repeat(ledger: Ledger, arrivals: Sequence[Arrival], injury: Injury) -> int:
    """How many frames a kill may have repeated: rate x commit interval, and what was in flight.

    The rate is that of the busiest commit interval in the second before. In flight was what is in the ledger and had no
    answer yet, as far as a lane takes it in.
    """
    before = sorted(
        a.at_s
        for a in arrivals
        if a.source.partition in injury.partitions and injury.at_s - LOOK_BACK_S <= a.at_s <= injury.at_s
    )
    busiest, start = 0, 0
    for end, at_s in enumerate(before):
        while at_s - before[start] > COMMIT_INTERVAL_S:
            start += 1
        busiest = max(busiest, end - start + 1)
    answered = {arrival.source for arrival in arrivals if arrival.at_s <= injury.at_s}
    waiting = dict.fromkeys(injury.partitions, 0)
    for place, frame in ledger.frames().items():
        if place.partition in waiting and frame.sent_s <= injury.at_s and place not in answered:
            waiting[place.partition] += 1
    return busiest + sum(min(LANE_FRAMES, each) for each in waiting.values())


def repeats_within(ledger: Ledger, arrivals: Sequence[Arrival], injuries: Iterable[Injury]) -> list[Figure]:
    """Duplicates on the wire, and how many of them the injuries allow."""
    allowed = sum(may_repeat(ledger, arrivals, injury) for injury in injuries)
    return [at_most("duplicates on the wire", repeats(arrivals), allowed), shown("duplicates allowed", allowed)]


def wrong_letters(ledger: Ledger, arrivals: Iterable[Arrival]) -> list[str]:
    """Bad frames without their dead letter, good ones with one, and letters that give another reason; in words."""
    frames, bad = ledger.frames(), ledger.bad()
    letters = {arrival.source: arrival for arrival in arrivals if arrival.is_letter}
    wrong = [f"{place} must be {bad[place].reason} and has no dead letter" for place in bad.keys() - letters.keys()]
    for place, letter in letters.items():
        wanted = frames[place].reason if place in frames else ""
        stage = frames[place].stage if place in frames else ""
        if letter.reason != wanted or (stage and letter.stage != stage):
            wrong.append(
                f"{place} is {letter.reason} at {letter.stage} ({letter.error}), must be {wanted or 'good'} {stage}"
            )
    return sorted(wrong)


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """The rise by least squares of (x, y), in y for each x; 0 for fewer than two."""
    if len(samples) < 2:
        return 0.0
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
