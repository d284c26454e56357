from consumer_support import frame_of

from consumers.tally import CameraSums, Tally
from streams.contract.errors import FrameError


def test_counts_frames_duplicates_and_missing_by_camera() -> None:
    tally = Tally()
    admitted = [tally.admit(frame_of("gate-1", sequence)) for sequence in (4, 5, 5, 8, 7)]
    tally.admit(frame_of("gate-2", 0))
    assert admitted == [True, True, False, True, True]
    assert tally.cameras == {
        "gate-1": CameraSums(frames=4, duplicates=1, missing=1),
        "gate-2": CameraSums(frames=1),
    }


def test_a_new_epoch_and_another_pipeline_are_no_gaps_and_no_repeats() -> None:
    tally = Tally()
    assert tally.admit(frame_of(sequence=900, epoch="e1"))
    assert tally.admit(frame_of(sequence=0, epoch="e2"))
    assert tally.admit(frame_of(sequence=0, epoch="e2", pipeline="motion"))
    assert tally.cameras["gate-1"] == CameraSums(frames=3)


def test_no_gaps_are_derived_from_offsets() -> None:
    tally = Tally()
    for offset in (3, 9, 9):
        tally.admit(frame_of(sequence=offset, epoch="@frames.raw-0"))
    assert tally.cameras["gate-1"] == CameraSums(frames=2, duplicates=1, missing=0)


def test_counts_refused_records_by_reason() -> None:
    tally = Tally()
    tally.refuse(FrameError("nothing", reason="empty", stage="gate"))
    tally.refuse(FrameError("nothing", reason="empty", stage="gate"))
    assert tally.refused == {"empty": 2}
