"""What cameras cost."""

import pytest

from framelane.topic_plan import HEADER_BYTES, SEGMENT_BYTES, plan
from streams.contract.errors import SettingError


def test_the_sums_by_hand() -> None:
    found = plan(4, fps=25, frame_bytes=100_000 - HEADER_BYTES, retention_s=3600)
    assert found.frames_per_s == 100
    assert found.write_bytes_per_s == 20_000_000
    assert found.read_bytes_per_s == 20_000_000
    assert found.network_bytes_per_s == 40_000_000
    assert found.disk_bytes == 36_000_000_000 + 2 * 6 * SEGMENT_BYTES
    assert (found.workers, found.partitions) == (2, 6)
    # 2 GiB a partition hold a third of 10 MB/s for about ten minutes.
    assert found.kept_s == pytest.approx(2 * 1024**3 / (10_000_000 / 3))


def test_replicas_cost_disk_and_network_but_no_reads() -> None:
    one = plan(4, fps=25, frame_bytes=100_000, retention_s=3600)
    three = plan(4, fps=25, frame_bytes=100_000, retention_s=3600, replicas=3)
    assert three.disk_bytes == pytest.approx(3 * one.disk_bytes)
    assert three.read_bytes_per_s == one.read_bytes_per_s
    assert three.network_bytes_per_s == one.network_bytes_per_s + 2 * one.write_bytes_per_s


def test_the_limit_of_bytes_keeps_what_was_asked_for() -> None:
    found = plan(1, fps=10, frame_bytes=100_000, retention_s=86_400)
    # One camera lives on one partition, which takes all of its bytes.
    assert found.retention_bytes >= 10 * 100_000 * 86_400
    assert found.kept_s < 86_400
    assert plan(1, fps=1, frame_bytes=10_000, retention_s=3600).kept_s == 3600


def test_many_cameras_need_more_partitions_than_the_default() -> None:
    found = plan(100, fps=10, frame_bytes=100_000, retention_s=60)
    assert (found.workers, found.partitions) == (14, 28)


@pytest.mark.parametrize("wrong", [{"fps": 0}, {"frame_bytes": 0}, {"retention_s": 0}])
def test_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="expected more than 0"):
        plan(1, **({"fps": 1, "frame_bytes": 1, "retention_s": 1} | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("fps", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(fps: float) -> None:
    with pytest.raises(SettingError, match=rf"--fps {fps:g}: expected a finite number"):
        plan(1, fps=fps, frame_bytes=1, retention_s=1)
