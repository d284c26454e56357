"""`track`: the ids of moving boxes against what is known of them."""

import math
from collections.abc import Iterable

import pytest
from frame_support import flat, frame_of
from track_support import EPOCH, box_at, frame_at, told

from streams.contract.event_types import Face, TracksFound
from streams.contract.frame import Box, Event, Frame
from streams.operators.checks import ParameterError
from streams.operators.crop import Crop
from streams.operators.track import Track
from streams.operators.tracks import MOST

LATER = "20260102T040000000-efgh"


def ids(frames: Iterable[Frame], track: Track | None = None) -> list[list[tuple[int, int]]]:
    """The ids in each frame, without the epoch: (number of the first frame, which of it)."""
    track, frames = track or Track(min_hits=1), list(frames)
    found = dict[int, list[tuple[int, int]]]()
    for index, data in told(track.open(), frames, "track"):
        found.setdefault(index, []).extend(short(box.track) for box in data.boxes)
    return [found.get(frame.sequence, []) for frame in frames]


def short(id: str | None) -> tuple[int, int]:
    assert id is not None
    epoch, first, number = id.rsplit("-", 2)
    assert epoch in (EPOCH, LATER)
    return int(first), int(number)


def test_an_id_tells_where_it_began_and_stays() -> None:
    frames = [frame_at(index, box_at(0.2 + 0.02 * index, 0.5)) for index in range(10, 20)]

    (_, first), *_ = events = told(Track(min_hits=1).open(), frames, "track")

    assert first == TracksFound(of="detection", boxes=(box_at(0.2 + 0.02 * 10, 0.5, track=f"{EPOCH}-10-1"),))
    assert [(index, [box.track for box in data.boxes]) for index, data in events] == [
        (index, [f"{EPOCH}-10-1"]) for index in range(10, 20)
    ]


def test_two_that_cross_keep_their_ids() -> None:
    """They overlap wholly on their way; only how they move tells them apart."""

    def boxes(index: int) -> list[Box]:
        return [box_at(0.1 + 0.04 * index, 0.5), box_at(0.9 - 0.04 * index, 0.52)]

    frames = [frame_at(index, *boxes(index)[:: 1 if index % 2 else -1]) for index in range(21)]

    events = told(Track(min_hits=1).open(), frames, "track")

    for index, data in events:
        by_id = {short(box.track): round(box.x + box.w / 2, 6) for box in data.boxes}
        # In frame 0 the one from the right comes first.
        assert by_id == {(0, 1): round(0.9 - 0.04 * index, 6), (0, 2): round(0.1 + 0.04 * index, 6)}, index


def test_what_is_hidden_for_less_than_its_age_is_found_where_it_is_expected() -> None:
    def frames(hidden: int) -> list[Frame]:
        path = [(index, box_at(0.1 + 0.03 * index, 0.5)) for index in range(20)]
        return [frame_at(index, *([] if 8 <= index < 8 + hidden else [box])) for index, box in path]

    track = Track(min_hits=1, max_age_ms=500)

    assert ids(frames(4), track) == [[(0, 1)]] * 8 + [[]] * 4 + [[(0, 1)]] * 8
    assert ids(frames(5), track) == [[(0, 1)]] * 8 + [[]] * 5 + [[(13, 1)]] * 7


def test_the_end_is_told_once_it_is_too_old() -> None:
    frames = [frame_at(0, box_at(0.5, 0.5)), *(frame_at(index) for index in range(1, 9))]

    events = told(Track(min_hits=1, max_age_ms=500).open(), frames, "track")

    assert [(index, data.boxes, data.ended) for index, data in events[1:]] == [(6, (), (f"{EPOCH}-0-1",))]


def test_of_what_never_counted_no_end_is_told() -> None:
    frames = [frame_at(0, box_at(0.5, 0.5)), frame_at(50, box_at(0.2, 0.5))]
    frames += [frame_at(0, box_at(0.5, 0.5), epoch=LATER, at_s=5.1)]

    assert told(Track(min_hits=2).open(), frames, "track") == []


def test_what_comes_and_goes_is_noise() -> None:
    flicker = [frame_at(index, *([box_at(0.5, 0.5)] if index % 3 else [])) for index in range(12)]
    steady = [frame_at(index, box_at(0.5, 0.5)) for index in range(5)]

    assert ids(flicker, Track(min_hits=3)) == [[]] * 12
    assert ids(steady, Track(min_hits=3)) == [[], [], [(0, 1)], [(0, 1)], [(0, 1)]]


def test_what_has_counted_may_be_missed_for_a_while() -> None:
    frames = [frame_at(index, *([] if index in (3, 5, 6) else [box_at(0.5, 0.5)])) for index in range(9)]

    found = ids(frames, Track(min_hits=3))

    assert found == [[], [], [(0, 1)], [], [(0, 1)], [], [], [(0, 1)], [(0, 1)]]


def test_time_is_of_capture_and_frames_that_are_missing_do_not_matter() -> None:
    # Ten frames are lost, but the next one was captured right after.
    near = [frame_at(0, box_at(0.5, 0.5), at_s=0.0), frame_at(11, box_at(0.5, 0.5), at_s=0.1)]
    far = [frame_at(0, box_at(0.5, 0.5), at_s=0.0), frame_at(1, box_at(0.5, 0.5), at_s=1.1)]

    assert ids(near) == [[(0, 1)], [(0, 1)]]
    assert ids(far) == [[(0, 1)], [(1, 1)]]


def test_two_frames_at_once_are_two() -> None:
    frames = [frame_at(0, box_at(0.5, 0.5), at_s=0.0), frame_at(1, at_s=0.0), frame_at(2, box_at(0.5, 0.5), at_s=0.0)]

    assert ids(frames) == [[(0, 1)], [], [(0, 1)]]


def test_a_new_epoch_ends_all_and_begins_anew() -> None:
    frames = [frame_at(index, box_at(0.5, 0.5)) for index in range(3)]
    frames += [frame_at(index, box_at(0.5, 0.5), epoch=LATER, at_s=0.3 + index / 10) for index in range(2)]

    events = told(Track(min_hits=1).open(), frames, "track")

    assert [(box.track, data.ended) for _, data in events for box in data.boxes] == [
        (f"{EPOCH}-0-1", ()),
        (f"{EPOCH}-0-1", ()),
        (f"{EPOCH}-0-1", ()),
        (f"{LATER}-0-1", (f"{EPOCH}-0-1",)),
        (f"{LATER}-0-1", ()),
    ]


def test_a_redriven_frame_of_the_past_changes_nothing() -> None:
    frames = [frame_at(index, box_at(0.5, 0.5)) for index in range(6)]
    old = [
        frame_at(900, box_at(0.2, 0.2), epoch="20260101T000000000-wxyz", at_s=-3600.0),
        frame_at(1, box_at(0.3, 0.5)),
    ]

    events = told(Track(min_hits=1).open(), [*frames[:3], *old, *frames[3:]], "track")

    assert [(index, [short(box.track) for box in data.boxes]) for index, data in events] == [
        (index, [(0, 1)]) for index in range(6)
    ]


def test_a_clock_that_is_put_back_costs_one_frame() -> None:
    frames = [frame_at(index, box_at(0.5, 0.5), at_s=100 + index / 10 - (50 if index > 2 else 0)) for index in range(6)]

    assert ids(frames) == [[(0, 1)]] * 3 + [[]] + [[(0, 1)]] * 2


def test_something_small_and_fast_is_followed_with_reach() -> None:
    # One and a half times its own width each time: no two boxes touch.
    frames = [frame_at(index, box_at(0.1 + 0.03 * index, 0.5, side=0.02)) for index in range(10)]

    assert len({id for found in ids(frames, Track(min_hits=1, reach=0)) for id in found}) == 10
    assert {id for found in ids(frames, Track(min_hits=1, reach=1)) for id in found} == {(0, 1)}


def test_labels_keep_apart_unless_they_may_mix() -> None:
    wavering = [frame_at(index, box_at(0.5, 0.5, label=("car", "truck")[index % 2])) for index in range(4)]

    assert ids(wavering) == [[(0, 1)], [(1, 1)], [(0, 1)], [(1, 1)]]
    assert ids(wavering, Track(min_hits=1, mix_labels=True)) == [[(0, 1)]] * 4
    (_, data), *_ = told(Track(min_hits=1, mix_labels=True).open(), wavering[1:], "track")
    assert data.boxes[0].label == "truck"


def test_only_those_that_are_asked_for_are_followed() -> None:
    boxes = box_at(0.2, 0.5, label="person"), box_at(0.8, 0.5, label="cat")
    motion = Event(type="motion", data={"boxes": [box_at(0.5, 0.5)]})
    frame = frame_at(0, *boxes).with_events(motion)

    def found(track: Track) -> list[tuple[str, str]]:
        return [(data.of, box.label) for _, data in told(track.open(), [frame], "track") for box in data.boxes]

    assert found(Track(min_hits=1)) == [("detection", "person"), ("detection", "cat"), ("motion", "")]
    assert found(Track(min_hits=1, types=("motion",))) == [("motion", "")]
    assert found(Track(min_hits=1, labels=("cat",))) == [("detection", "cat")]


def test_a_box_of_two_zones_is_followed_once_and_those_of_another_tracker_are_left_alone() -> None:
    box = box_at(0.5, 0.5, label="cat")
    zones = tuple(Event(type="detection", data={"zone": zone, "boxes": [box]}) for zone in "01")
    followed = Event(type="detection", data={"boxes": [box_at(0.2, 0.2, track="mine")]})
    frame = frame_at(0).with_events(*zones, followed)

    ((_, data),) = told(Track(min_hits=1).open(), [frame], "track")

    assert [short(box.track) for box in data.boxes] == [(0, 1)]


def test_what_a_face_has_more_is_left_out() -> None:
    points = ((0.1, 0.2), (0.3, 0.2), (0.2, 0.3), (0.1, 0.4), (0.3, 0.4))
    face = Face(x=0.1, y=0.2, w=0.3, h=0.4, score=0.9, landmarks=points)

    ((_, data),) = told(Track(min_hits=1).open(), [frame_at(0, face, type="face")], "track")

    assert data.of == "face" and type(data.boxes[0]) is Box


@pytest.mark.parametrize(
    "box", [Box(x=0.5, y=0.5, w=0.0, h=0.1), Box(x=0.5, y=0.5, w=0.1, h=-0.1), Box(x=math.nan, y=0.5, w=0.1, h=0.1)]
)
def test_a_box_of_nothing_is_not_followed(box: Box) -> None:
    assert told(Track(min_hits=1).open(), [frame_at(0, box), frame_at(1, box)], "track") == []


def test_boxes_too_small_for_an_area_do_no_harm() -> None:
    tiny = Box(x=0.5, y=0.5, w=1e-200, h=1e-200)

    assert ids([frame_at(0, tiny), frame_at(1, tiny)]) == [[(0, 1)], [(1, 1)]]


def test_a_frame_without_boxes_passes_as_it_is() -> None:
    frame = frame_at(0)

    assert Track().open()(frame) is frame


def test_many_boxes_are_followed_and_too_many_are_bounded() -> None:
    places = [(0.01 + 0.03 * x, 0.01 + 0.03 * y) for x in range(32) for y in range(32)]
    boxes = [box_at(x, y, side=0.02) for x, y in places]

    few = ids([frame_at(index, *boxes[:400]) for index in range(3)])
    many = ids([frame_at(index, *boxes[: MOST + 100]) for index in range(3)])
    # Each frame has others: those before are let go, and that is told.
    parts = [boxes[:MOST], boxes[MOST : 2 * MOST], boxes[:MOST]]
    events = told(Track(min_hits=1).open(), [frame_at(index, *part) for index, part in enumerate(parts)], "track")

    assert few == [[(0, number) for number in range(1, 401)]] * 3
    assert many == [[(0, number) for number in range(1, MOST + 1)]] * 3
    assert [(len(data.boxes), len(data.ended)) for _, data in events] == [(MOST, 0), (MOST, MOST), (MOST, MOST)]


def test_of_two_that_fit_as_well_the_longer_followed_goes_on_with_the_first() -> None:
    # Both lie by as much beside the one that was there.
    frames = [frame_at(0, box_at(0.5, 0.5, side=0.125))]
    frames += [frame_at(1, box_at(0.5625, 0.5, side=0.125), box_at(0.4375, 0.5, side=0.125))]

    events = told(Track(min_hits=1).open(), frames, "track")

    assert {short(box.track): box.x + box.w / 2 for box in events[1][1].boxes} == {(0, 1): 0.5625, (1, 1): 0.4375}


def test_where_memory_began_does_not_matter_once_nothing_was_followed() -> None:
    def frame(index: int) -> Frame:
        # One passes in frames 0 to 14, one in 20 to 34; a second comes and goes beside them.
        boxes = [box_at(0.1 + 0.04 * (index % 20), 0.5)] if index % 20 < 15 else []
        return frame_at(index, *boxes, *([box_at(0.5, 0.9)] if index % 7 else []))

    whole, later = (
        ids(map(frame, range(80)), Track(max_age_ms=300)),
        ids(map(frame, range(33, 80)), Track(max_age_ms=300)),
    )

    assert [[id for id in found if id[0] >= 40] for found in whole[40:]] == [
        [id for id in found if id[0] >= 40] for found in later[7:]
    ]
    assert {id for found in later for id in found if id[0] >= 40} >= {(40, 1), (60, 1)}


def test_places_are_of_the_raw_picture_whatever_has_been_cut() -> None:
    crop, track = Crop(x=0.5).open(), Track(min_hits=1).open()

    def seen(index: int, box: Box) -> Frame | None:
        cropped = crop(frame_at(index, box))
        assert cropped is not None
        return track(cropped)

    seen(0, box_at(0.75, 0.5))
    result = seen(1, box_at(0.76, 0.5))

    assert result is not None
    (box,) = result.events[-1].data.boxes
    assert (round(box.x, 6), short(box.track)) == (0.71, (0, 1))


def test_it_looks_at_no_picture() -> None:
    frame = frame_of(flat(8, 8, 0)).changed(_image=None, data=b"", events=frame_at(0, box_at(0.5, 0.5)).events)

    result = Track(min_hits=1).open()(frame)

    assert Track.needs == "none" and result is not None and len(result.events) == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_iou": 0.0}, "track: min_iou = 0.0: expected an overlap above 0, up to 1"),
        ({"reach": -0.1}, "track: reach = -0.1"),
        ({"min_hits": 0}, "track: min_hits = 0"),
        ({"max_age_ms": -1}, "track: max_age_ms = -1"),
        ({"min_hits": 5, "memory_frames": 4}, "track: memory_frames = 4: expected min_hits, which is 5, to 10000"),
    ],
)
def test_refuses(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Track(**parameters)  # type: ignore[arg-type]
