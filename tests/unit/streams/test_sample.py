"""How far back the frames of a partition's cameras reach, by a sample of them."""

from streams.sample import Sample


def sample_of(*cameras: str | None) -> Sample:
    sample = Sample()
    for camera in cameras:
        sample.add(camera, size=1)
    return sample


def test_as_many_records_as_the_cameras_need_together() -> None:
    assert sample_of(*["a", "b", "c"] * 10).span(100) == 330


def test_records_of_cameras_that_are_not_wanted_lie_between() -> None:
    assert sample_of(*["a", None, None, None] * 10).span(100) == 440


def test_where_no_camera_is_wanted_nothing_is_to_be_read() -> None:
    assert sample_of(None, None).span(100) == 0
    assert sample_of().span(100) == 0


def test_of_a_camera_that_comes_often_only_the_latest_are_in_reach() -> None:
    sample = sample_of(*["fast"] * 9, "slow")
    assert not sample.in_reach("fast", records=200, memory_frames=100)
    assert sample.in_reach("fast", records=100, memory_frames=100)
    assert sample.in_reach("slow", records=1000, memory_frames=100)
    assert sample.in_reach("unknown", records=1000, memory_frames=100)


def test_how_many_come_still() -> None:
    sample = sample_of(*["fast"] * 9, "slow")
    assert sample.coming(records=1000, memory_frames=100) == 200
    assert sample.coming(records=100, memory_frames=100) == 100
    assert sample.coming(records=1, memory_frames=100) == 1
