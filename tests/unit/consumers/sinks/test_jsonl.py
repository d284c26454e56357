import json
from pathlib import Path

import pytest
from consumer_support import frame_of

from consumers.sinks import SinkOptions
from consumers.sinks.jsonl import JsonlSink
from streams.contract.errors import SinkError


def sink_at(path: Path) -> JsonlSink:
    sink = JsonlSink(path, SinkOptions())
    sink.setup()
    return sink


def sequences(path: Path) -> list[int]:
    return [json.loads(line)["sequence"] for line in path.read_text().splitlines()]


def test_writes_a_line_of_metadata_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "frames.jsonl"
    sink = sink_at(path)
    frame = frame_of("gate-1", 7)
    sink.add(frame)
    sink.close()
    assert json.loads(path.read_text()) == {
        "camera_id": "gate-1",
        "epoch": "20260509T073000000-ab12",
        "sequence": 7,
        "captured_at_ns": 1_778_312_000_000_000_000,
        "width": 64,
        "height": 48,
        "content_type": "image/jpeg",
        "bytes": len(frame.data),
        "pipeline": "demo@1f3a",
        "input": "frames.raw/0/7",
        "hops": {},
    }


def test_flushed_lines_are_there_before_close_and_the_next_run_appends(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    sink = sink_at(path)
    sink.add(frame_of(sequence=0))
    assert sink.flush()
    assert sequences(path) == [0]
    sink.close()
    again = sink_at(path)
    again.add(frame_of(sequence=1))
    again.close()
    assert sequences(path) == [0, 1]


@pytest.mark.parametrize("unfinished", ['{"sequence": 1', '{"x": "' + "y" * 200_000])
def test_cuts_off_what_a_killed_run_left_unfinished(tmp_path: Path, unfinished: str) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text('{"sequence": 0}\n' + unfinished)
    sink = sink_at(path)
    sink.add(frame_of(sequence=1))
    sink.close()
    assert sequences(path) == [0, 1]


def test_a_file_of_half_a_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text("half")
    sink_at(path).close()
    assert path.read_text() == ""


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    path = tmp_path / "full.jsonl"
    path.symlink_to("/dev/full")
    sink = sink_at(path)
    sink.add(frame_of())
    with pytest.raises(SinkError, match=r"full\.jsonl: the disk is full"):
        sink.flush()
    with pytest.raises(SinkError, match="the disk is full"):
        sink.close()


@pytest.mark.parametrize("before", ["", '{"sequence": 0}\n'])
def test_a_whole_line_without_its_break_is_somebodys_data(tmp_path: Path, before: str) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text(before + '{"mine": "' + "y" * 100_000 + '"}')
    kept = path.read_text()
    sink = sink_at(path)
    sink.add(frame_of(sequence=1))
    sink.close()
    assert path.read_text().startswith(kept + "\n")
    assert json.loads(path.read_text().splitlines()[-1])["sequence"] == 1
