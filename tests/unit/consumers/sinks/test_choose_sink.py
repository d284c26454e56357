from pathlib import Path

import pytest

from consumers.sinks import SINKS, SinkOptions, choose_sink
from consumers.sinks.folder import FolderSink
from consumers.sinks.jsonl import JsonlSink
from consumers.sinks.mp4 import Mp4Sink
from consumers.sinks.webhook import WebhookSink
from streams.contract.errors import SettingError, SinkError


@pytest.mark.parametrize(
    ("to", "kind"),
    [("out", FolderSink), ("out.d/", FolderSink), ("a.mp4", Mp4Sink), ("A.MP4", Mp4Sink), ("x.y.jsonl", JsonlSink)],
)
def test_the_ending_chooses(tmp_path: Path, to: str, kind: type) -> None:
    assert isinstance(choose_sink(f"{tmp_path}/{to}"), kind)
    assert list(tmp_path.iterdir()) == [], "nothing is made before all is known to be right"


def test_a_folder_that_exists_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "day.1").mkdir()
    assert isinstance(choose_sink(str(tmp_path / "day.1")), FolderSink)


@pytest.mark.parametrize("to", ["a.avi", "a.jpg", ""])
def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path: Path, to: str) -> None:
    with pytest.raises(SettingError, match=r"\.jsonl|FILE\.jsonl"):
        choose_sink(f"{tmp_path}/{to}" if to else "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", sorted(ending for ending in SINKS if not ending.endswith(":")))
def test_every_sink_refuses_a_place_that_cannot_be_written(tmp_path: Path, ending: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write"):
        choose_sink(f"{tmp_path}/file/out{ending}").setup()


def test_the_scheme_chooses_and_an_unknown_one_shows_nothing_of_the_address() -> None:
    assert isinstance(choose_sink("HTTPS://example.org/hook"), WebhookSink)
    with pytest.raises(SettingError, match=r"s3://\.\.\.: expected") as error:
        choose_sink("s3://key:secret@bucket/")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("to", "options", "flag"),
    [
        ("out/", SinkOptions(fps=10), "--fps"),
        ("a.jsonl", SinkOptions(rotate_s=60), "--rotate"),
        ("https://example.org", SinkOptions(rotate_s=60), "--rotate"),
        ("a.mp4", SinkOptions(headers={"A": "b"}), "--header-env"),
    ],
)
def test_an_option_that_has_no_meaning_is_refused(to: str, options: SinkOptions, flag: str) -> None:
    with pytest.raises(SettingError, match=flag):
        choose_sink(to, options=options)
