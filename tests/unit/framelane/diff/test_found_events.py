import msgspec
import pytest

from framelane.diff.found_events import EventIndex, Found
from streams.contract.events import EventRecord


def event(kind: str = "motion") -> EventRecord:
    return EventRecord(
        type=kind,
        camera_id="gate-1",
        epoch="e1",
        sequence=3,
        captured_at_ns=5,
        pipeline="demo@1",
        input="frames.raw/0/3",
        data=msgspec.Raw(b'{"zone":"0"}'),
    )


def test_an_event_that_comes_twice_counts_once() -> None:
    index = EventIndex()
    for name in ("0/0", "0/1", "0/0"):
        index.add(event(), name)

    assert [found.name for found in index.of(("gate-1", "e1", 3))] == ["0/0", "0/1"]
    assert index.repeats == 1
    assert index.of(("gate-1", "e1", 4)) == []


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ({"boxes": [{"x": 0, "y": 0, "w": 0.5, "h": 0.5}, {"x": 0.1, "y": 0, "w": 0.5, "h": 0.5, "score": 1}]}, 2),
        ({"boxes": [{"x": 1e300, "y": 0, "w": 1, "h": 1}, {"x": 0, "y": 0, "w": 1, "h": 1}]}, 1),
        ({"boxes": [{"x": "0"}, 7, None]}, 0),
        ({"boxes": {"x": 0}}, 0),
        ({"zone": "0"}, 0),
        ([1, 2], 0),
    ],
)
def test_only_what_is_a_box_is_drawn(data: object, count: int) -> None:
    assert len(Found("0/0", "x", msgspec.json.encode(data)).boxes) == count
