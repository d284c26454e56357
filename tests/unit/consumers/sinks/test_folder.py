from pathlib import Path, PurePosixPath

import pytest
from consumer_support import picture
from sink_support import is_done, received

from consumers.sinks import SinkOptions
from consumers.sinks.folder import FolderSink, file_path
from streams.contract.errors import SinkError
from streams.contract.frame import Frame


def sink_at(path: Path) -> FolderSink:
    sink = FolderSink(str(path), SinkOptions())
    sink.setup()
    return sink


def test_writes_the_bytes_untouched_by_camera_and_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    sink = sink_at(folder)
    hour_ns = 3_600_000_000_000
    frames = [
        received("gate-1", 7),
        received("gate-1", 8, captured_at_ns=1_778_312_000_123_999_999 + hour_ns),
        received("gate-2", 7, pipeline=""),
    ]
    for frame in frames:
        sink.add(frame)
        assert is_done(frame), "a file is safe once it is there"
    sink.close()
    written = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert written == {
        "gate-1/2026-05-09/07/073320.000-20260509T073000000-ab12-000000007-demo.jpg": frames[0].data,
        "gate-1/2026-05-09/08/083320.123-20260509T073000000-ab12-000000008-demo.jpg": frames[1].data,
        "gate-2/2026-05-09/07/073320.000-20260509T073000000-ab12-000000007.jpg": frames[2].data,
    }
    assert (sink.written, sink.left_out) == (3, {})


def test_a_repeat_replaces_itself(tmp_path: Path) -> None:
    sink = sink_at(tmp_path)
    for _ in range(2):
        sink.add(received())
    sink.close()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_ending_follows_the_content_type() -> None:
    png = Frame(
        camera_id="c",
        epoch="@raw-0",
        sequence=0,
        captured_at_ns=0,
        width=64,
        height=48,
        content_type="image/png",
        data=picture(content_type="image/png"),
    )
    assert file_path(png) == PurePosixPath("c/1970-01-01/00/000000.000-@raw-0-000000000.png")


def test_names_stay_short_and_within_the_folder() -> None:
    long, other = received(epoch="e" * 300), received(epoch="e" * 299 + "f")
    assert len(file_path(long).name) < 255
    assert file_path(long) != file_path(other)
    assert len(file_path(received(epoch="..", pipeline="a/../../b")).parts) == 4


def test_a_folder_that_is_a_file_is_refused_at_setup(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SinkError, match="taken"):
        sink_at(tmp_path / "taken")
    with pytest.raises(SinkError, match="is a file, not a folder"):
        sink_at(tmp_path / "taken" / "below")


def test_a_failed_write_leaves_nothing_behind_and_names_the_path(tmp_path: Path) -> None:
    sink = sink_at(tmp_path)
    frame = received()
    in_the_way = tmp_path / file_path(frame)
    in_the_way.mkdir(parents=True)
    (in_the_way / "kept").write_text("")
    with pytest.raises(SinkError, match=in_the_way.name):
        sink.add(frame)
    assert not is_done(frame)
    sink.close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["kept"]


def test_what_a_killed_run_left_is_swept_away_and_nothing_of_one_that_lives(tmp_path: Path) -> None:
    (tmp_path / ".framelane-0123abcd-picture.part").write_bytes(b"half")
    (tmp_path / ".framelane-0123abcd.lock").write_bytes(b"")
    living = sink_at(tmp_path)
    part = tmp_path / f"{next(tmp_path.glob('.framelane-*.lock')).stem}-picture.part"
    part.write_bytes(b"being written")
    assert not list(tmp_path.glob(".framelane-0123abcd*"))
    sink_at(tmp_path).close()
    assert part.read_bytes() == b"being written"
    living.close()
    sink_at(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_tidies_up_is_made_again(tmp_path: Path) -> None:
    sink = sink_at(tmp_path)
    for _ in range(2):
        sink.add(received())
        path = tmp_path / file_path(received())
        path.unlink()
        path.parent.rmdir()
    sink.add(received())
    sink.close()
    assert path.exists()
