"""The search itself, in partitions that are lists: what it asks, and what it makes of the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from confluent_kafka import Message

from consumers.lookup.name import FrameName
from consumers.lookup.places import Offsets, Stretch
from consumers.lookup.search import MOST_ASKED, Search, likely_partitions, search
from streams.contract.identity import new_epoch
from streams.contract.partitioner import partition_of

BEGAN_MS = 1_778_311_800_000
# A record every ten milliseconds.
STEP_MS = 10
EPOCH = new_epoch(BEGAN_MS * 1_000_000)


@dataclass(frozen=True)
class Entry:
    """A record, but for its place. epoch "": bare, without headers."""

    camera: str
    sequence: int
    epoch: str = EPOCH
    source: str = ""


@dataclass(frozen=True)
class Log:
    """A partition: how many records it has, and what each of them is."""

    length: int
    entry: Callable[[int], Entry]

    def message(self, partition: int, at: int) -> Message:
        entry = self.entry(at)
        name = f"{entry.camera}/{entry.epoch}/{entry.sequence}"
        headers: list[tuple[str, str | bytes]] = [("ce_id", name.encode())] if entry.epoch else []
        headers += [("ce_source", entry.source.encode())] if entry.source else []
        return Message(
            topic="t", partition=partition, offset=at, key=entry.camera.encode(), value=b"x", headers=headers
        )


class Partitions:
    """What is searched; a fetch gives `length` records."""

    topic = "t"

    def __init__(self, logs: Mapping[int, Log], *, length: int = 40) -> None:
        self.logs, self.length, self.asked = logs, length, 0

    def offsets(self) -> dict[int, Offsets]:
        self.asked += 1
        return {partition: Offsets(0, log.length) for partition, log in self.logs.items()}

    def offsets_at(self, ends: Mapping[int, Offsets], at_ms: int) -> dict[int, int]:
        self.asked += 1
        at = max(0, -(-(at_ms - BEGAN_MS) // STEP_MS))
        return {partition: min(at, log.length) for partition, log in self.logs.items()}

    def fetch(self, partition: int, start: int, end: int, *, wide: bool = False) -> Stretch:
        self.asked += 1
        stop = min(end, start + self.length * (6 if wide else 1))
        assert 0 <= start < stop
        return Stretch([self.logs[partition].message(partition, at) for at in range(start, stop)], stop)


def interleaved(length: int, cameras: int) -> Log:
    """Cameras by turns; each one's numbers from 0."""
    return Log(length, lambda at: Entry(f"gate-{at % cameras}", at // cameras))


def look(log: Log, name: str, *, length: int = 40, source: str | None = None) -> tuple[Search, Partitions]:
    places = Partitions({0: log}, length=length)
    return search(places, FrameName.parse(name), source=source), places


def offset_of(found: Search) -> int | None:
    return found.record.offset if found.record else None


@pytest.mark.parametrize("at", [0, 1, 39, 40, 12_345, 99_998, 99_999])
def test_any_frame_is_found(at: int) -> None:
    found, _ = look(interleaved(100_000, 17), f"gate-{at % 17}/{EPOCH}/{at // 17}")
    assert offset_of(found) == at
    assert found.asked <= 12


def test_a_million_records_in_uneven_order_take_few_questions() -> None:
    count, shares = 1_000_000, np.array([0.8**camera for camera in range(20)])
    rng = np.random.default_rng(7)
    cameras = rng.choice(20, count, p=shares / shares.sum())
    # Now and then some of a camera's numbers are left out.
    steps = 1 + (rng.random(count) < 0.05) * rng.integers(0, 9, count)
    sequences = np.zeros(count, int)
    for camera in range(20):
        sequences[cameras == camera] = steps[cameras == camera].cumsum()
    log = Log(count, lambda at: Entry(f"gate-{cameras[at]}", int(sequences[at])))
    asked = []
    for at in rng.integers(0, count, 50).tolist():
        found, _ = look(log, f"gate-{cameras[at]}/{EPOCH}/{sequences[at]}")
        assert offset_of(found) == at
        asked.append(found.asked)
    assert max(asked) <= 25


def test_a_camera_that_is_rare_in_its_partition_is_found() -> None:
    log = Log(1_000_000, lambda at: Entry("rare" if at % 1000 == 500 else "gate", at // 1000))
    for sequence in (0, 123, 500, 999):
        found, _ = look(log, f"rare/{EPOCH}/{sequence}", length=80)
        assert offset_of(found) == 1000 * sequence + 500


def test_the_right_epoch_is_found_among_many() -> None:
    epochs = [new_epoch((BEGAN_MS + STEP_MS * at) * 1_000_000) for at in range(0, 100_000, 500)]
    log = Log(100_000, lambda at: Entry(f"gate-{at % 5}", at % 500 // 5, epochs[at // 500]))
    for at in (0, 499, 500, 54_321, 99_999):
        found, _ = look(log, f"gate-{at % 5}/{epochs[at // 500]}/{at % 500 // 5}")
        assert offset_of(found) == at
        assert found.asked <= 12


def test_an_epoch_whose_name_is_no_time_is_found_as_well() -> None:
    log = Log(100_000, lambda at: Entry("gate", at % 20_000, f"run-{'xbqaz'[at // 20_000]}"))
    for at in (3, 47_000, 99_000):
        found, _ = look(log, f"gate/run-{'xbqaz'[at // 20_000]}/{at % 20_000}")
        assert offset_of(found) == at


def test_pipelines_that_run_apart_do_not_mislead() -> None:
    # By turns, and the second is 3000 frames behind the first.
    log = Log(40_000, lambda at: Entry("gate", at // 2 + 3000 * (1 - at % 2), source=f"/pipelines/{'ab'[at % 2]}"))
    for source, at in (("/pipelines/a", 18_000), ("/pipelines/b", 24_001)):
        assert offset_of(look(log, f"gate/{EPOCH}/12000", source=source)[0]) == at
    for sequence in range(3100, 16_000, 1000):
        found, _ = look(log, f"gate/{EPOCH}/{sequence}")
        assert found.record is not None
        assert found.asked <= 5
    found, _ = look(log, f"gate/{EPOCH}/12000", source="/pipelines/other")
    assert (found.record, found.sources) == (None, {"/pipelines/a", "/pipelines/b"})


def test_a_frame_that_was_sent_again_is_found_near_its_place() -> None:
    numbers = [*range(9000), *range(9001, 9300), 9000, *range(9300, 20_000)]
    found, _ = look(Log(20_000, lambda at: Entry("gate", numbers[at])), f"gate/{EPOCH}/9000", length=100)
    assert offset_of(found) == 9299


def test_one_that_was_sent_again_does_not_mislead() -> None:
    # An old frame lies in the very fetch that would tell where the wanted one is.
    numbers = [*range(10_000), 3, *range(10_000, 20_000)]
    log = Log(20_001, lambda at: Entry("gate", numbers[at]))
    for sequence in (9990, 10_010, 4000, 15_000):
        assert look(log, f"gate/{EPOCH}/{sequence}")[0].record is not None


def test_what_is_missing_is_told_by_its_neighbours() -> None:
    log = Log(20_000, lambda at: Entry("gate", at if at < 5000 else at + 10))
    found, places = look(log, f"gate/{EPOCH}/5004")
    assert found.record is None
    assert [each.sequence if each else None for each in found.neighbours] == [4999, 5010]
    assert places.asked <= MOST_ASKED


def test_a_stranger_costs_no_more_than_the_limit() -> None:
    places = Partitions({each: interleaved(50_000, 7) for each in range(12)})
    found = search(places, FrameName.parse(f"nobody/{EPOCH}/1"))
    assert (found.record, found.epochs) == (None, {})
    assert places.asked <= MOST_ASKED
    assert "gate-3" in found.cameras


def test_a_camera_is_found_where_it_lay_before_partitions_were_added() -> None:
    camera = next(name for name in (f"c-{n}" for n in range(99)) if partition_of(name.encode(), 6) == 5)
    logs = {each: interleaved(5000, 7) for each in range(12)}
    home = partition_of(camera.encode(), 12)
    old = next(each for each in (partition_of(camera.encode(), count) for count in range(11, 0, -1)) if each != home)
    logs[old] = Log(5000, lambda at: Entry(camera if at % 3 else "gate", at))
    found = search(Partitions(logs), FrameName.parse(f"{camera}/{EPOCH}/4000"))
    assert found.record is not None
    assert found.record.partition == old


def test_a_bare_frame_is_read_at_its_offset() -> None:
    log = Log(3000, lambda at: Entry(f"gate-{at % 3}", 0, epoch=""))
    found, places = look(log, "gate-1/@t-0/1000")
    assert (offset_of(found), places.asked) == (1000, 2)
    assert look(log, "gate-2/@t-0/1000")[0].record is None
    assert look(log, "gate-1/@t-0/3001")[0].record is None
    assert look(log, "gate-1/@t-9/1000")[0].record is None


def test_likely_partitions_are_all_of_them_and_home_comes_first() -> None:
    found = likely_partitions("gate-1", 12)
    assert sorted(found) == list(range(12))
    assert found[0] == partition_of(b"gate-1", 12)
