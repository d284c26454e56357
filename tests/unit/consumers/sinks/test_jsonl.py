import json
from pathlib import Path

import pytest
from sink_support import event_of, is_done, received

from consumers.sinks import SinkOptions
from consumers.sinks.jsonl import JsonlSink
from consumers.sinks.known_lines import Identity, KnownLines
from consumers.sinks.shared_lines import SharedLines
from streams.contract.errors import SinkError


def sink_at(path: Path) -> JsonlSink:
    sink = JsonlSink(str(path), SinkOptions())
    sink.setup()
    return sink


def sequences(path: Path) -> list[int]:
    return [json.loads(line)["sequence"] for line in path.read_text().splitlines()]


def test_writes_a_line_of_metadata_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "frames.jsonl"
    sink = sink_at(path)
    frame = received("gate-1", 7)
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
        "source": "/pipelines/demo",
        "name": "gate-1/20260509T073000000-ab12/7",
        "hops": {},
    }


def test_writes_an_event_as_it_is_with_its_identity(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = sink_at(path)
    sink.add(event_of("gate-1", 7))
    sink.close()
    assert json.loads(path.read_text()) == {
        "type": "motion",
        "camera_id": "gate-1",
        "epoch": "20260509T073000000-ab12",
        "sequence": 7,
        "captured_at_ns": 1_778_312_000_000_000_000,
        "pipeline": "demo@1f3a",
        "input": "frames.raw/0/7",
        "data": {"zone": "0", "boxes": []},
        "source": "/pipelines/demo",
        "name": "gate-1/20260509T073000000-ab12/7/0/0",
    }


def test_flushed_lines_are_done_and_there_and_the_next_run_appends(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    sink = sink_at(path)
    frame = received(sequence=0)
    sink.add(frame)
    assert not is_done(frame)
    sink.flush()
    assert is_done(frame)
    assert sequences(path) == [0]
    sink.close()
    again = sink_at(path)
    again.add(received(sequence=1))
    again.close()
    assert sequences(path) == [0, 1]


def test_what_is_there_is_done_and_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    first = sink_at(path)
    for each in range(3):
        first.add(received(sequence=each))
        first.add(event_of(sequence=each))
    first.close()
    again = sink_at(path)
    items = [received(sequence=2), received(sequence=3), event_of(sequence=2), event_of(sequence=2, number=1)]
    # Another camera's, another pipeline's, and one of a topic that was made again are not the same.
    items += [received("gate-2", 2), received(sequence=2, pipeline="other"), received(sequence=2, captured_at_ns=1)]
    for item in items:
        again.add(item)
    again.close()
    assert is_done(*items)
    assert (again.written, again.left_out) == (5, {"there already": 2})
    assert len(sequences(path)) == 11


def test_two_that_write_the_same_file_know_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "shared.jsonl"
    one, two = sink_at(path), sink_at(path)
    for sink, numbers in ((one, (0, 1)), (two, (1, 2)), (one, (2, 3))):
        for each in numbers:
            sink.add(received(sequence=each))
        sink.flush()
    one.close()
    two.close()
    assert sequences(path) == [0, 1, 2, 3]


@pytest.mark.parametrize("unfinished", ['{"sequence": 1', '{"x": "' + "y" * 2_000_000])
def test_cuts_off_what_a_killed_run_left_unfinished(tmp_path: Path, unfinished: str) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text('{"sequence": 0}\n' + unfinished)
    sink = sink_at(path)
    sink.add(received(sequence=1))
    sink.close()
    assert sequences(path) == [0, 1]


def test_a_file_of_half_a_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text("half")
    sink_at(path).close()
    assert path.read_text() == ""


def test_a_full_disk_is_told_and_nothing_is_done(tmp_path: Path) -> None:
    path = tmp_path / "full.jsonl"
    path.symlink_to("/dev/full")
    sink = sink_at(path)
    frame = received()
    sink.add(frame)
    with pytest.raises(SinkError, match=r"full\.jsonl: the disk is full"):
        sink.flush()
    sink.close()
    assert not is_done(frame)


@pytest.mark.parametrize("before", ["", '{"sequence": 0}\n'])
def test_a_whole_line_without_its_break_is_somebodys_data(tmp_path: Path, before: str) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text(before + '{"mine": "' + "y" * 100_000 + '"}')
    kept = path.read_text()
    sink = sink_at(path)
    sink.add(received(sequence=1))
    sink.close()
    assert path.read_text().startswith(kept + "\n")
    assert json.loads(path.read_text().splitlines()[-1])["sequence"] == 1


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"".join(b'{"n": %d}\n' % each for each in range(1000)))
    lines: list[bytes] = []
    shared = SharedLines(path, lines.append, tail_bytes=100)
    shared.open()
    shared.close()
    assert lines == [b'{"n": %d}' % each for each in range(1001 - len(lines) - 1, 1000)]
    assert 5 < len(lines) <= 10


def test_the_identities_are_bounded() -> None:
    known = KnownLines(max_known=2)
    one, two, three = (Identity(source="s", name=str(each), captured_at_ns=0) for each in range(3))
    assert [known.add(each) for each in (one, two, one, three, one, three)] == [True, True, False, True, True, False]
