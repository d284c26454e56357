import numpy as np
from frame_support import CAPTURED_AT_NS, flat, frame_of, run

from streams.contract.frame import Box, Event
from streams.operators.annotate import Annotate, caption
from streams.operators.resize import Resize

GROUND = (90, 90, 90)
FOUND = Event(type="motion", data={"zone": "0", "boxes": [Box(x=0.25, y=0.5, w=0.5, h=0.25)]})
BOX_COLOR = (0, 220, 255)


def box_pixels(image: np.ndarray) -> tuple[int, int, int, int]:
    """First and last column and row of what has the boxes' colour."""
    ys, xs = np.nonzero((image == BOX_COLOR).all(axis=2))
    return int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())


def test_a_box_lies_where_the_event_says() -> None:
    frame = frame_of(flat(400, 300, GROUND), events=(FOUND,))

    result = Annotate().open()(frame)

    assert result is not None
    assert box_pixels(result.image) == (100, 299, 150, 224)
    assert (result.image[160:215, 110:290] == GROUND).all()


def test_and_there_too_once_the_picture_has_another_size() -> None:
    small = Resize(width=200, height=300).open()(frame_of(flat(400, 300, GROUND), events=(FOUND,)))
    assert small is not None

    result = Annotate().open()(small)

    assert result is not None
    assert box_pixels(result.image) == (50, 149, 150, 224)


def test_a_box_has_its_label() -> None:
    def drawn(label: str) -> np.ndarray:
        event = Event(type="face", data={"boxes": [Box(x=0.2, y=0.2, w=0.4, h=0.4, label=label)]})
        result = Annotate(camera=False, time=False).open()(frame_of(flat(400, 300, GROUND), events=(event,)))
        assert result is not None
        return result.image

    assert not np.array_equal(drawn("Ada"), drawn("Bob"))


def test_what_is_followed_is_drawn_once_with_the_end_of_its_id() -> None:
    place = {"x": 0.2, "y": 0.2, "w": 0.4, "h": 0.4, "label": "person"}

    def drawn(*boxes: dict[str, object]) -> np.ndarray:
        events = tuple(Event(type="detection", data={"boxes": [box]}) for box in boxes)
        result = Annotate(camera=False, time=False).open()(frame_of(flat(400, 300, GROUND), events=events))
        assert result is not None
        return result.image

    followed = place | {"track": "20260102T030405678-k3v9-800-1"}
    other = place | {"x": 0.5}
    # Before it the detection that it is of, behind it those that count it.
    assert np.array_equal(drawn(place, followed, followed), drawn(followed))
    assert not np.array_equal(drawn(followed), drawn(place))
    assert not np.array_equal(drawn(followed, other), drawn(followed))
    # Without tracks, two at one place are two.
    assert not np.array_equal(drawn(place, place | {"label": "dog"}), drawn(place))


def test_camera_and_time_stand_in_the_upper_left_corner() -> None:
    result = run(Annotate(), flat(640, 480, GROUND))

    written = (result != GROUND).any(axis=2)
    ys, xs = np.nonzero(written)
    assert (xs.min(), ys.min()) == (0, 0)
    assert 8 <= ys.max() <= 48 and 150 <= xs.max() <= 500
    assert (result[: ys.max(), : xs.max()] > 200).any()


def test_the_caption_is_exact() -> None:
    frame = frame_of(flat(8, 8, 0))

    assert caption(frame, camera=True, time=True) == "gate-1  2026-01-02 03:04:05.678Z"
    assert caption(frame, camera=True, time=False) == "gate-1"
    assert caption(frame, camera=False, time=True) == "2026-01-02 03:04:05.678Z"


def test_another_time_is_another_picture() -> None:
    frame = frame_of(flat(320, 240, GROUND))
    later = frame.changed(captured_at_ns=CAPTURED_AT_NS + 1_000_000_000)
    annotate = Annotate().open()

    first, second = annotate(frame), annotate(later)

    assert first is not None and second is not None
    assert not np.array_equal(first.image, second.image)


def test_nothing_to_draw_is_the_same_frame() -> None:
    frame = frame_of(flat(80, 60, GROUND))

    assert Annotate(camera=False, time=False).open()(frame) is frame


def test_a_box_is_seen_in_a_gray_picture() -> None:
    gray = np.zeros((300, 400), np.uint8)

    result = Annotate().open()(frame_of(gray, events=(FOUND,)))

    assert result is not None
    assert (result.image[150, 100:300] == 255).all()
