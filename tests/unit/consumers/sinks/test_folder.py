from pathlib import Path

import pytest
from consumer_support import frame_of, picture

from consumers.sinks import SinkOptions
from consumers.sinks.folder import FolderSink, file_name
from streams.contract.errors import SinkError
from streams.contract.frame import Frame


def sink_at(path: Path) -> FolderSink:
    sink = FolderSink(path, SinkOptions())
    sink.setup()
    return sink


def test_writes_the_bytes_untouched_by_camera_and_time(tmp_path: Path) -> None:
    sink = sink_at(tmp_path / "new" / "pictures")
    frames = [frame_of("gate-1", 7), frame_of("gate-1", 8), frame_of("gate-2", 7, pipeline="")]
    for frame in frames:
        sink.add(frame)
    assert sink.flush()
    sink.close()
    written = {
        str(path.relative_to(tmp_path / "new" / "pictures")): path.read_bytes() for path in tmp_path.rglob("*.jpg")
    }
    assert written == {
        "gate-1/20260509T073000000-ab12-000000007-demo.jpg": frames[0].data,
        "gate-1/20260509T073000000-ab12-000000008-demo.jpg": frames[1].data,
        "gate-2/20260509T073000000-ab12-000000007.jpg": frames[2].data,
    }


def test_a_repeat_replaces_itself(tmp_path: Path) -> None:
    sink = sink_at(tmp_path)
    for _ in range(2):
        sink.add(frame_of())
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_ending_follows_the_content_type(tmp_path: Path) -> None:
    png = Frame(
        camera_id="c",
        epoch="e",
        sequence=0,
        captured_at_ns=0,
        width=64,
        height=48,
        content_type="image/png",
        data=picture(content_type="image/png"),
    )
    assert file_name(png) == "e-000000000.png"


def test_names_stay_short_and_within_the_folder() -> None:
    long, other = frame_of(epoch="e" * 300), frame_of(epoch="e" * 299 + "f")
    assert len(file_name(long)) < 255
    assert file_name(long) != file_name(other)
    assert "/" not in file_name(frame_of(epoch="..", pipeline="a/../../b"))


def test_a_folder_that_is_a_file_is_refused_at_setup(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SinkError, match="taken"):
        sink_at(tmp_path / "taken")
    with pytest.raises(SinkError, match="is a file, not a folder"):
        sink_at(tmp_path / "taken" / "below")


def test_a_failed_write_leaves_nothing_behind_and_names_the_path(tmp_path: Path) -> None:
    sink = sink_at(tmp_path)
    frame = frame_of()
    in_the_way = tmp_path / "gate-1" / file_name(frame)
    in_the_way.mkdir(parents=True)
    (in_the_way / "kept").write_text("")
    with pytest.raises(SinkError, match=file_name(frame)):
        sink.add(frame)
    assert [path.name for path in (tmp_path / "gate-1").iterdir()] == [in_the_way.name]
