import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from producer_support import scene_images, write_images

from producers.sources.base import Grab, SourceOptions
from producers.sources.folder import open_folder
from producers.sources.watched_folder import PATIENCE_S, POLL_S, Signature, WatchedFolder, rest_s
from streams.contract.errors import SourceError, SourceLost
from streams.contract.images import encode

PICTURES = [encode(image) for image in scene_images(4)]
NOW_NS, LATER_NS = 1_700_000_000_000_000_000, 1_700_000_100_000_000_000


class Time:
    """Passes only while it is waited. at: what happens at the end of the next waits, one each; then it is stopped."""

    def __init__(self, *at: Callable[[], object]) -> None:
        self.now_s, self.at = 100.0, list(at)

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> bool:
        self.now_s += seconds
        if not self.at:
            return True
        self.at.pop(0)()
        return False


def nothing() -> None:
    pass


def options() -> SourceOptions:
    return SourceOptions(camera_id="a", watch=True, clock=lambda: NOW_NS)


def all_of(source: WatchedFolder) -> list[Grab]:
    """What it gives until it is stopped."""
    grabs: list[Grab] = []
    while (grab := source.grab()) is not None:
        grabs.append(grab)
    return grabs


def watch(folder: Path, *at: Callable[[], object], given: SourceOptions | None = None) -> list[Grab]:
    time = Time(*at)
    return all_of(WatchedFolder(folder, given or options(), wait=time.wait, clock=time))


def pictures_of(grabs: list[Grab]) -> list[object]:
    return [grab.picture for grab in grabs]


def put(file: Path, data: bytes, *, mtime_ns: int = LATER_NS) -> None:
    file.write_bytes(data)
    os.utime(file, ns=(mtime_ns, mtime_ns))


def test_what_is_there_comes_first_in_natural_order(tmp_path: Path) -> None:
    encoded = write_images(tmp_path, 12)
    grabs = watch(tmp_path, nothing, nothing, nothing)
    assert pictures_of(grabs) == encoded
    assert {grab.captured_at_ns for grab in grabs} == {NOW_NS}
    assert {grab.media_time_ns for grab in grabs} == {None}


def test_a_folder_that_is_to_be_watched_is_live_and_may_be_empty(tmp_path: Path) -> None:
    source = open_folder(tmp_path, options())
    assert isinstance(source, WatchedFolder)
    assert (source.live, source.waits, source.fps, source.name) == (True, True, 0.0, str(tmp_path))
    source.close()


def test_new_files_come_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    def arrive() -> None:
        put(tmp_path / "b.jpg", PICTURES[0])
        put(tmp_path / "a.png", encode(scene_images(1)[0], "image/png"), mtime_ns=LATER_NS + 1)

    grabs = watch(tmp_path, arrive, nothing)
    assert [grab.captured_at_ns for grab in grabs] == [LATER_NS, LATER_NS + 1]
    assert grabs[0].picture == PICTURES[0]


def test_a_file_is_taken_when_it_has_not_changed_for_a_look(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    time = Time(lambda: file.write_bytes(PICTURES[0][:100]), lambda: file.write_bytes(PICTURES[0]), nothing)
    grab = WatchedFolder(tmp_path, options(), wait=time.wait, clock=time).grab()
    assert grab is not None and grab.picture == PICTURES[0]
    assert time.now_s == 100.0 + 3 * POLL_S


def test_half_a_jpeg_is_waited_for_however_long_its_writer_pauses(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    pauses = [nothing] * 5
    grabs = watch(tmp_path, lambda: put(file, PICTURES[0][:3000]), *pauses, lambda: put(file, PICTURES[0]), *pauses)
    assert pictures_of(grabs) == [PICTURES[0]]


def test_what_stays_half_is_counted_as_damaged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "a.jpg", PICTURES[0][:3000])
    put(tmp_path / "b.jpg", b"no picture, whatever its name says")
    put(tmp_path / "c.jpg", PICTURES[1])
    looks = [nothing] * int(PATIENCE_S / POLL_S + 3)
    time = Time(*looks)
    source = WatchedFolder(tmp_path, options(), wait=time.wait, clock=time)
    with caplog.at_level(logging.WARNING):
        assert pictures_of(all_of(source)) == [PICTURES[1]]
    assert source.damaged == 2
    assert [record.getMessage().partition(str(tmp_path))[2] for record in caplog.records] == [
        "/a.jpg: it ends early",
        "/b.jpg: expected JPEG, PNG or WebP",
    ]


def test_a_file_moved_into_the_folder_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    put(tmp_path / "a.jpg", PICTURES[0])
    grabs = watch(folder, lambda: (tmp_path / "a.jpg").rename(folder / "a.jpg"), nothing)
    assert [(grab.picture, grab.captured_at_ns) for grab in grabs] == [(PICTURES[0], LATER_NS)]


def test_another_file_of_the_same_name_is_a_new_picture(tmp_path: Path) -> None:
    folder, aside = tmp_path / "in", tmp_path / "aside.jpg"
    folder.mkdir()
    put(folder / "a.jpg", PICTURES[0], mtime_ns=NOW_NS)
    put(aside, PICTURES[0], mtime_ns=NOW_NS)
    grabs = watch(
        folder,
        nothing,
        lambda: put(folder / "a.jpg", PICTURES[1]),
        nothing,
        # Of the same size and time: only its number tells.
        lambda: (put(aside, PICTURES[1]), aside.rename(folder / "a.jpg")),
        nothing,
        nothing,
    )
    assert pictures_of(grabs) == [PICTURES[0], PICTURES[1], PICTURES[1]]
    assert [grab.captured_at_ns for grab in grabs] == [NOW_NS, LATER_NS, LATER_NS]


def test_neither_a_new_number_nor_new_rights_make_a_new_picture() -> None:
    known = Signature(size=1, mtime_ns=2, inode=3, ctime_ns=4)
    assert known.is_as(known._replace(inode=9)) and known.is_as(known._replace(ctime_ns=9))
    assert not known.is_as(known._replace(inode=9, ctime_ns=9))
    assert not known.is_as(known._replace(size=9)) and not known.is_as(known._replace(mtime_ns=9))


def test_hidden_files_other_names_and_folders_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path / ".a.jpg", PICTURES[0])
    put(tmp_path / "a.jpg.part", PICTURES[0])
    put(tmp_path / "jpg", PICTURES[0])
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "nowhere.jpg").symlink_to(tmp_path / "absent")
    assert watch(tmp_path, *[nothing] * 20) == []


def test_files_deleted_before_they_are_read_are_nothing_to_talk_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_images(tmp_path, 3)
    time = Time(nothing, nothing)
    source = WatchedFolder(tmp_path, options(), wait=time.wait, clock=time)
    source.grab()
    (tmp_path / "frame1.jpg").unlink()
    assert len(all_of(source)) == 1
    assert (source.damaged, caplog.records) == (0, [])


def test_a_file_that_changes_before_its_turn_is_read_when_it_has_settled(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", PICTURES[0])
    put(tmp_path / "b.jpg", PICTURES[1])
    time = Time(nothing, nothing, nothing)
    source = WatchedFolder(tmp_path, options(), wait=time.wait, clock=time)
    source.grab()
    put(tmp_path / "b.jpg", PICTURES[2], mtime_ns=NOW_NS + 1)
    assert [(grab.picture, grab.captured_at_ns) for grab in all_of(source)] == [(PICTURES[2], NOW_NS + 1)]


def test_a_folder_that_vanishes_is_lost_and_nothing_is_given_twice_when_it_is_back(tmp_path: Path) -> None:
    folder, away, given = tmp_path / "in", tmp_path / "away", options()
    encoded = write_images(folder, 3)
    time = Time(nothing, lambda: folder.rename(away))
    source = WatchedFolder(folder, given, wait=time.wait, clock=time)
    first = [source.grab() for _ in range(3)]
    with pytest.raises(SourceLost, match="in': the folder cannot be read: No such file"):
        source.grab()
    with pytest.raises(SourceError, match="the folder cannot be read"):
        WatchedFolder(folder, given)
    # A mount that is gone leaves an empty folder, which is no reason to forget what was in the other.
    folder.mkdir()
    assert watch(folder, nothing, nothing, given=given) == []
    folder.rmdir()
    away.rename(folder)
    put(folder / "frame9.jpg", PICTURES[3])
    assert [grab.picture for grab in first if grab] == encoded
    assert pictures_of(watch(folder, nothing, nothing, given=given)) == [PICTURES[3]]
    # Another run begins with all of them.
    assert len(watch(folder, nothing, nothing)) == 4


def test_another_folder_in_its_place_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_images(folder, 1)

    def replace() -> None:
        folder.rename(tmp_path / "away")
        folder.mkdir()

    with pytest.raises(SourceLost, match="another folder is in its place"):
        watch(folder, nothing, replace)


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    put(file, PICTURES[0])
    grabs = watch(tmp_path, nothing, file.unlink, lambda: put(file, PICTURES[0]), nothing, nothing)
    assert pictures_of(grabs) == [PICTURES[0], PICTURES[0]]


def test_one_that_cannot_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a.jpg", PICTURES[0])
    opened, refusals = Path.open, [PermissionError(13, "Permission denied")] * 15

    def refuse(path: Path, mode: str = "r") -> object:
        if refusals:
            raise refusals.pop()
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", refuse)
    assert pictures_of(watch(tmp_path, *[nothing] * 20)) == [PICTURES[0]]
    assert len(caplog.records) == 1


def test_stop_ends_the_wait(tmp_path: Path) -> None:
    given = options()
    source = WatchedFolder(tmp_path, given)
    given.stop.set()
    assert source.grab() is None


def test_a_look_that_takes_long_is_followed_by_a_long_rest() -> None:
    assert [rest_s(took_s) for took_s in (0.0, 0.01, 0.1, 60.0)] == [POLL_S, POLL_S, 2.0, 10.0]


def test_what_was_given_is_looked_at_less_often_where_that_takes_long(tmp_path: Path) -> None:
    write_images(tmp_path, 1)
    time = Time(nothing, nothing, nothing, nothing)
    source = WatchedFolder(tmp_path, options(), wait=time.wait, clock=time)
    source.grab()
    source._next_second_s = time.now_s + 3 * POLL_S
    put(tmp_path / "frame0.jpg", PICTURES[1])
    put(tmp_path / "new.jpg", PICTURES[2])
    assert pictures_of(all_of(source)) == [PICTURES[2]]
    time.at = [nothing, nothing]
    assert pictures_of(all_of(source)) == [PICTURES[1]]
