"""The folder that a cluster lives in."""

import json
import resource
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from framelane.embedded import data_folder
from framelane.embedded.data_folder import DataFolder
from streams.contract.errors import EmbeddedBrokerError


def test_a_given_folder_is_kept_with_its_cluster(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "kafka", nodes=1)
    first.close()
    second = DataFolder(tmp_path / "kafka", nodes=1)
    second.close()
    assert second.cluster_id == first.cluster_id
    assert len(first.cluster_id) == 22
    assert second.path.is_dir()


def test_a_temporary_folder_goes() -> None:
    folder = DataFolder(None, nodes=1)
    assert folder.path.is_dir()
    folder.close()
    assert not folder.path.exists()


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(EmbeddedBrokerError, match="not empty, and not a folder of"):
        DataFolder(tmp_path, nodes=1)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_folder_in_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "_LOCK_WAIT_S", 0.0)
    holder = DataFolder(tmp_path, nodes=1)
    with pytest.raises(EmbeddedBrokerError, match="an embedded Kafka that runs is using it"):
        DataFolder(tmp_path, nodes=1)
    holder.close()
    DataFolder(tmp_path, nodes=1).close()


def test_another_number_of_nodes_is_refused(tmp_path: Path) -> None:
    DataFolder(tmp_path, nodes=3).close()
    with pytest.raises(EmbeddedBrokerError, match="--nodes 3"):
        DataFolder(tmp_path, nodes=1)


def test_a_newer_kafkas_folder_is_refused(tmp_path: Path) -> None:
    DataFolder(tmp_path, nodes=1).close()
    marker = tmp_path / "framelane-kafka.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"kafka": "99.0.0"}))
    with pytest.raises(EmbeddedBrokerError, match=r"made by Kafka 99\.0\.0"):
        DataFolder(tmp_path, nodes=1)


def test_a_damaged_marker_is_told(tmp_path: Path) -> None:
    (tmp_path / "framelane-kafka.json").write_text("{")
    with pytest.raises(EmbeddedBrokerError, match=r"framelane-kafka\.json: cannot be read"):
        DataFolder(tmp_path, nodes=1)


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1024))
    with pytest.raises(EmbeddedBrokerError, match="the disk is full"):
        DataFolder(tmp_path, nodes=1)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedBrokerError, match="cannot keep Kafka's data there"):
        DataFolder(tmp_path / "file" / "kafka", nodes=1)


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    # The tests may run as a user whom no folder refuses.
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(EmbeddedBrokerError, match="cannot keep Kafka's data there: Permission denied"):
        DataFolder(tmp_path, nodes=1)


def test_no_place_for_a_temporary_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(EmbeddedBrokerError, match=r"none.*cannot keep Kafka's data there: No such file"):
        DataFolder(None, nodes=1)


@pytest.mark.parametrize("given", [True, False])
def test_a_disk_that_takes_no_more_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(EmbeddedBrokerError, match="cannot write there: File too large"):
            DataFolder(tmp_path / "kafka" if given else None, nodes=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == (["kafka"] if given else [])
