"""Which numbers count as missing."""

from streams.contract.headers import Record, numbered
from streams.gaps import MAX_CAMERAS, MAX_GAP, Gaps
from streams.lanes import Lane, LaneLimits, Partition
from streams.outbox import FrameLane


def lane() -> FrameLane:
    return Lane(Partition("raw", 0), 1, limits=LaneLimits(frames=8, size=8), publish=lambda entry: True)


def frame(sequence: int, *, epoch: str = "e1", camera: str = "a") -> Record:
    headers = [("content-type", b"image/jpeg"), ("ce_id", f"{camera}/{epoch}/{sequence}".encode())]
    return Record("raw", 0, 0, 0, camera.encode(), b"", headers)


BARE = Record("raw", 0, 77, 0, b"a", b"", [])


def missing(*records: Record) -> list[int]:
    gaps, one = Gaps(), lane()
    return [gaps.before(one, "a", record) for record in records]


def test_what_is_missing_in_between_is_counted_once() -> None:
    assert missing(frame(3), frame(4), frame(8), frame(9)) == [0, 0, 3, 0]


def test_repeats_and_late_ones_are_no_gap_and_move_no_mark() -> None:
    assert missing(frame(3), frame(4), frame(3), frame(1), frame(5), frame(7)) == [0, 0, 0, 0, 0, 1]


def test_a_new_epoch_begins_anew() -> None:
    assert missing(frame(3), frame(0, epoch="e2"), frame(2, epoch="e2")) == [0, 0, 1]


def test_a_record_without_a_number_sets_no_mark_and_ends_one() -> None:
    assert missing(BARE, frame(3), BARE, frame(9), frame(11)) == [0, 0, 0, 0, 1]


def test_each_camera_has_its_own_numbers_and_a_new_lane_begins_anew() -> None:
    gaps, one = Gaps(), lane()
    assert gaps.before(one, "a", frame(0)) == 0
    assert gaps.before(one, "b", frame(7, camera="b")) == 0
    assert gaps.before(one, "a", frame(1)) == 0
    assert gaps.before(lane(), "a", frame(50)) == 0


def test_another_numbering_is_no_loss() -> None:
    assert missing(frame(0), frame(MAX_GAP + 2), frame(MAX_GAP + 4)) == [0, 0, 1]


def test_a_header_of_another_camera_says_nothing() -> None:
    assert numbered(frame(4, camera="b"), "a") is None
    assert numbered(Record("raw", 0, 0, 0, b"a", b"", [("ce_id", b"a/e1/\xff")]), "a") is None


def test_forged_cameras_do_not_fill_the_memory() -> None:
    gaps, one = Gaps(), lane()
    for n in range(MAX_CAMERAS + 10):
        gaps.before(one, f"c{n}", frame(0, camera=f"c{n}"))
    assert len(gaps._marks[one]) == MAX_CAMERAS
