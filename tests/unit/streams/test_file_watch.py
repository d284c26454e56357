"""Whether a file has changed: in place, by another put in its place, and behind symbolic links."""

import os
from pathlib import Path

import pytest

from streams.file_watch import FileWatch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "p.toml"
    path.write_text("one")
    return path


def told(watch: FileWatch, *, asked: int = 4) -> list[bool]:
    return [watch.changed() for _ in range(asked)]


def test_a_file_that_stays_as_it_is(path: Path) -> None:
    assert told(FileWatch(path)) == [False] * 4


def test_a_change_is_told_once_and_when_it_has_settled(path: Path) -> None:
    watch = FileWatch(path)
    path.write_text("three")

    assert told(watch) == [False, True, False, False]


def test_a_file_that_is_being_written_is_left_alone(path: Path) -> None:
    watch = FileWatch(path)
    seen = []
    for text in ("t", "tw", "two"):
        path.write_text(text)
        seen.append(watch.changed())

    assert (seen, told(watch)) == ([False] * 3, [True, False, False, False])


def test_another_file_of_the_same_size_and_time_in_its_place(path: Path) -> None:
    watch = FileWatch(path)
    other = path.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)

    assert told(watch) == [False, True, False, False]


def test_a_folder_that_a_link_leads_to_is_replaced_as_kubernetes_does(tmp_path: Path) -> None:
    for name in ("..2026_1", "..2026_2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.toml").write_text(name)
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "p.toml").symlink_to("..data/p.toml")
    watch = FileWatch(tmp_path / "p.toml")
    assert told(watch, asked=2) == [False, False]
    (tmp_path / "..data_tmp").symlink_to("..2026_2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    assert told(watch) == [False, True, False, False]


def test_a_file_that_goes_and_comes_back(path: Path) -> None:
    watch = FileWatch(path)
    path.unlink()
    assert told(watch) == [False, True, False, False]
    path.write_text("two")
    assert told(watch) == [False, True, False, False]


def test_of_several_files_each_change_is_told(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    watch = FileWatch(path, other)
    other.write_text("new")
    first = told(watch)
    path.write_text("three")

    assert (first, told(watch)) == ([False, True, False, False], [False, True, False, False])
