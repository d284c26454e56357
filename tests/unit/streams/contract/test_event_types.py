from typing import Any

import msgspec
import pytest
from frame_support import flat, frame_of

from streams.contract.event_types import (
    EVENT_DATA,
    CodeFound,
    DetectionsFound,
    DwellChanged,
    Face,
    FacesFound,
    HealthChanged,
    LineCrossed,
    MotionFound,
    TracksFound,
)
from streams.contract.events import decode_event, encode_event
from streams.contract.frame import Box, Event
from streams.operators.boxes import boxes_of

BOX = Box(x=0.1, y=0.2, w=0.3, h=0.4, label="cat", score=0.5)
FOLLOWED = Box(x=0.1, y=0.2, w=0.3, h=0.4, label="cat", score=0.5, track="20260102T030405678-k3v9-800-1")
FACE = Face(
    x=0.1, y=0.2, w=0.3, h=0.4, score=0.9, landmarks=((0.1, 0.2), (0.3, 0.2), (0.2, 0.3), (0.1, 0.4), (0.3, 0.4))
)
CORNERS = ((0.1, 0.2), (0.4, 0.2), (0.4, 0.6), (0.1, 0.6))
EXAMPLES: dict[str, Any] = {
    "motion": MotionFound(zone="0", boxes=(BOX,), area=0.05),
    "detection": DetectionsFound(zone="1", boxes=(BOX, BOX)),
    "face": FacesFound(boxes=(FACE,)),
    "code": CodeFound(kind="qr", text="gate", corners=CORNERS, boxes=(BOX,)),
    "health": HealthChanged(problem="dark", state="begun", value=3.5, threshold=20.0),
    "track": TracksFound(of="detection", boxes=(FOLLOWED,), ended=("e-1-1",)),
    "line": LineCrossed(line="door", direction="in", boxes=(FOLLOWED,)),
    "dwell": DwellChanged(zone="0", state="left", ms=1200, boxes=(FOLLOWED,)),
}


def test_each_type_has_an_example() -> None:
    assert {name: type(example) for name, example in EXAMPLES.items()} == EVENT_DATA


@pytest.mark.parametrize("name", EVENT_DATA)
def test_what_is_published_is_read_as_it_was(name: str) -> None:
    event = Event(type=name, data=EXAMPLES[name])

    value, _ = encode_event(event, frame_of(flat(8, 8, 0)), pipeline="x@00000000", operator_index=0, number=0)

    record = decode_event(value)
    assert record.type == name
    assert msgspec.json.decode(record.data, type=EVENT_DATA[name]) == EXAMPLES[name]


@pytest.mark.parametrize("name", EVENT_DATA)
def test_boxes_are_found_in_the_data_and_in_its_json(name: str) -> None:
    data = EXAMPLES[name]
    plain = msgspec.json.decode(msgspec.json.encode(data))

    typed = [box for _, box in boxes_of([Event(type=name, data=data)])]
    untyped = [box for _, box in boxes_of([Event(type=name, data=plain)])]

    assert typed == list(getattr(data, "boxes", ()))
    assert [(box.x, box.y, box.w, box.h) for box in untyped] == [(box.x, box.y, box.w, box.h) for box in typed]
