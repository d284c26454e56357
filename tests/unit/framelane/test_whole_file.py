from pathlib import Path

import pytest

from framelane.whole_file import write_whole
from streams.contract.errors import SettingError, SinkError


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "gate-1.jpg"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_where_a_file_is_in_the_way_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="choose another place"):
        write_whole(tmp_path / "file" / "gate-1.jpg", b"one")


def test_a_folder_in_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "gate-1.jpg").mkdir()
    with pytest.raises(SinkError, match=r"gate-1\.jpg"):
        write_whole(tmp_path / "gate-1.jpg", b"one")
    assert [each.name for each in tmp_path.iterdir()] == ["gate-1.jpg"]


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_what_is_no_file_name_is_refused(path: str) -> None:
    with pytest.raises(SettingError, match="expected the name of a file"):
        write_whole(Path(path), b"one")


def test_what_another_process_has_begun_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".gate-1.jpg.part").write_bytes(b"half")
    write_whole(tmp_path / "gate-1.jpg", b"one")
    assert (tmp_path / ".gate-1.jpg.part").read_bytes() == b"half"
