"""What becomes of records: frames and events, each once."""

import msgspec
import numpy as np
import pytest
from confluent_kafka import Message
from consumer_support import frame_of, picture

from consumers.event_intake import EventIntake
from consumers.frame_intake import FrameIntake
from consumers.horizon import Horizon
from consumers.progress import Progress
from consumers.received import Gap
from consumers.settings import SubscriptionSettings
from consumers.tally import CameraSums
from streams.contract.events import encode_event
from streams.contract.frame import Event, Frame
from streams.contract.headers import to_headers


def message(frame: Frame, offset: int = 0, *, at_ms: int = 1000, bare: bool = False) -> Message:
    headers = [] if bare else to_headers(frame)
    return Message(
        topic="t",
        partition=0,
        offset=offset,
        key=frame.camera_id.encode(),
        value=frame.data,
        headers=headers,
        timestamp=(1, at_ms),
    )


def intake(**settings: object) -> FrameIntake:
    return FrameIntake(SubscriptionSettings(**settings), horizon=None)  # type: ignore[arg-type]


def test_counts_frames_duplicates_and_missing_by_camera_and_tells_gaps() -> None:
    frames = intake()
    read = [frames.read(message(frame_of("gate-1", each)), None) for each in (4, 5, 5, 8, 7)]
    frames.read(message(frame_of("gate-2", 0)), None)
    assert [each and each.sequence for each in read] == [4, 5, None, 8, 7]
    assert [each and each.gap for each in read] == [
        None,
        None,
        None,
        Gap(epoch="20260509T073000000-ab12", first=6, last=7),
        None,
    ]
    assert frames.tally.cameras == {
        "gate-1": CameraSums(frames=4, duplicates=1, missing=1),
        "gate-2": CameraSums(frames=1),
    }


def test_a_new_epoch_and_another_pipeline_are_no_gaps_and_no_repeats() -> None:
    frames = intake()
    for frame in (
        frame_of(sequence=900, epoch="e1"),
        frame_of(sequence=0, epoch="e2"),
        frame_of(sequence=0, epoch="e2", pipeline="motion"),
    ):
        read = frames.read(message(frame), None)
        assert read is not None
        assert read.gap is None
    assert frames.tally.cameras["gate-1"] == CameraSums(frames=3)


def test_no_gaps_are_derived_from_offsets() -> None:
    frames = intake()
    read = [frames.read(message(frame_of(pipeline=""), offset, bare=True), None) for offset in (3, 9, 9)]
    assert [each and each.gap for each in read] == [None, None, None]
    assert frames.tally.cameras["gate-1"] == CameraSums(frames=2, duplicates=1, missing=0)


def test_what_was_done_with_before_is_only_remembered() -> None:
    frames, progress = intake(group="archive"), Progress(start=0, resume=3, upto=5)
    read = [frames.read(message(frame_of(sequence=each), at), progress) for at, each in enumerate((0, 1, 2, 2, 4, 5))]
    assert [each and (each.sequence, each.redelivered, each.gap) for each in read] == [
        None,
        None,
        None,
        None,
        (4, True, Gap(epoch="20260509T073000000-ab12", first=3, last=3)),
        (5, False, None),
    ]
    assert frames.tally.cameras["gate-1"] == CameraSums(frames=2, duplicates=1, missing=1, redelivered=1)
    assert progress.position == 4
    for each in read:
        if each is not None:
            each.done()
    assert progress.position == 6


def test_a_group_does_not_go_past_what_lies_behind_until() -> None:
    horizon = Horizon(2_000_000_000)
    horizon.assign([0])
    frames = FrameIntake(SubscriptionSettings(group="archive", until_ns=2_000_000_000), horizon=horizon)
    progress = Progress(start=0, resume=0)
    for at, at_ms in enumerate((1000, 2000, 1500)):
        read = frames.read(message(frame_of(sequence=at), at, at_ms=at_ms), progress)
        assert (read is None) == (at_ms == 2000)
        if read is not None:
            read.done()
    assert progress.position == 1


def test_what_was_handed_out_and_is_not_done_comes_again_when_its_partition_does() -> None:
    frames, before = intake(group="archive"), Progress(start=0, resume=0)
    first = [frames.read(message(frame_of(sequence=each), each), before) for each in range(3)]
    assert first[1] is not None
    first[1].done()
    # The partition goes, and comes back to this process, from where the group is.
    progress = Progress(start=0, resume=before.position, before=before)
    again = [frames.read(message(frame_of(sequence=each), each), progress) for each in range(3)]
    assert [each and (each.sequence, each.redelivered) for each in again] == [(0, True), None, (2, True)]
    assert progress.position == 0
    for each in again:
        if each is not None:
            each.done()
    assert progress.position == 3


def test_ctrl_c_in_the_midst_of_reading_loses_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, progress = intake(group="archive"), Progress(start=0, resume=0)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("consumers.frame_intake.to_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        frames.read(message(frame_of()), progress)
    assert progress.position == 0


def test_a_record_that_is_no_frame_is_counted_and_passed() -> None:
    frames, progress = intake(group="archive"), Progress(start=0, resume=0)
    assert frames.read(message(frame_of(data=b"rubbish")), progress) is None
    assert frames.tally.refused == {"not_an_image": 1}
    assert progress.position == 1


@pytest.mark.parametrize(
    ("given", "shape", "scale"),
    [
        ({}, (48, 64, 3), 1),
        ({"size": (20, 20)}, (15, 20, 3), 3.2),
        ({"size": (640, 480)}, (48, 64, 3), 1),
        ({"gray": True}, (48, 64), 1),
        ({"size": (32, 32), "gray": True}, (24, 32), 2),
    ],
)
def test_decodes_as_asked(given: dict[str, object], shape: tuple[int, ...], scale: float) -> None:
    read = intake(**given).read(message(frame_of(sequence=7)), None)
    assert read is not None
    assert (read.height, read.width) == shape[:2]
    assert read.image.shape == shape
    assert abs(int(read.image.mean()) - 70) <= 2
    assert read.data == picture(7)
    assert not read.image.flags.writeable
    assert np.allclose(read.to_raw, [[scale, 0, 0], [0, scale, 0]])


def event_message(number: int = 0, *, value: bytes | None = None, headers: bool = True) -> Message:
    event = Event(type="motion", data={"zone": "0"})
    encoded, named = encode_event(event, frame_of(), pipeline="demo@1", operator_index=1, number=number)
    return Message(
        topic="e",
        partition=0,
        offset=number,
        key=b"gate-1",
        value=encoded if value is None else value,
        headers=named if headers else [],
        timestamp=(1, 1000),
    )


def test_events_come_once_by_their_names() -> None:
    events, progress = EventIntake(SubscriptionSettings(group="a"), horizon=None), Progress(start=0, resume=1, upto=2)
    read = [events.read(event_message(each), progress) for each in (0, 1)]
    again = EventIntake(SubscriptionSettings(), horizon=None)
    twice = [again.read(event_message(0), None) for _ in range(2)]
    assert read[0] is None
    assert read[1] is not None
    assert (read[1].name, read[1].source) == ("gate-1/20260509T073000000-ab12/0/1/1", "/pipelines/demo")
    assert (read[1].type, read[1].redelivered, read[1].place) == ("motion", True, "e/0/1")
    assert msgspec.json.decode(read[1].data) == {"zone": "0"}
    assert [each is None for each in twice] == [False, True]
    assert again.tally.cameras["gate-1"] == CameraSums(frames=1, duplicates=1)


def test_what_is_no_event_is_refused_and_one_without_headers_is_named_by_its_place() -> None:
    events = EventIntake(SubscriptionSettings(), horizon=None)
    assert events.read(event_message(value=b"{}"), None) is None
    assert events.read(event_message(value=b"\xff"), None) is None
    whole = event_message().value() or b""
    assert events.read(event_message(value=whole.replace(b'"gate-1"', b'"../etc"', 1)), None) is None
    late = whole.replace(b'"captured_at_ns":1778312000000000000', b'"captured_at_ns":9999999999999999999')
    assert late != whole
    assert events.read(event_message(value=late), None) is None
    bare = events.read(event_message(headers=False), None)
    assert bare is not None
    assert bare.name == "e/0/0"
    assert events.tally.refused == {"bad_event": 4}
