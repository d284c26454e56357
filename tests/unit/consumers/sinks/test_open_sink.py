from pathlib import Path

import pytest

from consumers.sinks import SINKS, open_sink
from consumers.sinks.folder import FolderSink
from consumers.sinks.jsonl import JsonlSink
from consumers.sinks.mp4 import Mp4Sink
from streams.contract.errors import SettingError, SinkError


@pytest.mark.parametrize(
    ("to", "kind"),
    [("out", FolderSink), ("out.d/", FolderSink), ("a.mp4", Mp4Sink), ("A.MP4", Mp4Sink), ("x.y.jsonl", JsonlSink)],
)
def test_the_ending_chooses(tmp_path: Path, to: str, kind: type) -> None:
    sink = open_sink(f"{tmp_path}/{to}")
    assert isinstance(sink, kind)
    sink.close()


def test_a_folder_that_exists_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "day.1").mkdir()
    assert isinstance(open_sink(str(tmp_path / "day.1")), FolderSink)


@pytest.mark.parametrize("to", ["a.avi", "a.jpg", ""])
def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path: Path, to: str) -> None:
    with pytest.raises(SettingError, match=r"\.jsonl|FILE\.jsonl"):
        open_sink(f"{tmp_path}/{to}" if to else "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", sorted(SINKS))
def test_every_sink_refuses_a_place_that_cannot_be_written(tmp_path: Path, ending: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write"):
        open_sink(f"{tmp_path}/file/out{ending}")
