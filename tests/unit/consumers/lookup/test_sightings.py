from confluent_kafka import Message

from consumers.lookup.name import FrameName
from consumers.lookup.sightings import Sighting, Sightings, sighting

EPOCH, EARLIER, LATER = (f"202605{day:02}T073000000-ab12" for day in (9, 8, 10))
WANTED = FrameName("gate", EPOCH, 50)


def met(*numbers: int, epoch: str = EPOCH, source: str = "s", at: int = 0) -> list[Sighting]:
    """Sightings at the offsets at, at + 1, ..."""
    return [Sighting(number, at + place, epoch, source) for place, number in enumerate(numbers)]


def test_sequences_of_its_epoch_tell_where_it_lies() -> None:
    assert Sightings(WANTED).add(met(10, 90, at=100)) == [(100, "after"), (101, "before")]


def test_epochs_are_in_the_order_of_their_times() -> None:
    epochs = (EARLIER, LATER, "run-7")
    sides = [Sightings(WANTED).add(met(50, epoch=epoch))[0][1] for epoch in epochs]
    assert sides == ["after", "before", "unknown"]


def test_a_frame_that_contradicts_the_most_is_not_believed() -> None:
    sightings = Sightings(WANTED)
    assert sightings.add(met(70, 71, 3, 72)) == [(0, "before"), (1, "before"), (3, "before")]
    assert [each.sequence for each in sightings.same_epoch] == [70, 71, 72]


def test_one_publisher_is_the_guide() -> None:
    sightings = Sightings(WANTED)
    sides = sightings.add([*met(10, source="fast"), *met(9, source="slow", at=1), *met(11, source="fast", at=2)])
    assert [offset for offset, _ in sides] == [0, 2]


def test_the_place_is_estimated_between_two_or_beyond_both() -> None:
    sightings = Sightings(WANTED)
    assert sightings.estimate is None
    sightings.add(met(10, at=1000))
    assert sightings.estimate is None
    sightings.add(met(20, at=1100))
    assert sightings.estimate == 1400
    sightings.add(met(60, at=2100))
    assert sightings.estimate == 1850
    below, above = sightings.neighbours
    assert below is not None
    assert above is not None
    assert (below.sequence, above.sequence) == (20, 60)


def message(key: bytes, *headers: tuple[str, bytes]) -> Message:
    return Message(topic="t", partition=2, offset=7, key=key, value=b"x", headers=list(headers))


def test_a_record_is_taken_for_what_its_headers_say() -> None:
    found = sighting(message(b"gate", ("ce_id", f"gate/{EPOCH}/5".encode()), ("ce_source", b"/pipelines/p")), "gate")
    assert found is not None
    assert (found.epoch, found.sequence, found.source) == (EPOCH, 5, "/pipelines/p")
    bare = sighting(message(b"gate"), "gate")
    assert bare is not None
    assert (bare.epoch, bare.sequence, bare.source) == ("@t-2", 7, "/cameras/gate")
    assert sighting(message(b"yard"), "gate") is None
    assert sighting(message(b"gate", ("ce_id", f"yard/{EPOCH}/5".encode())), "gate") is None
