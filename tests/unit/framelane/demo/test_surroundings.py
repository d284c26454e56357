"""What the demo finds before it starts anything."""

import socket
from pathlib import Path

import pytest

from framelane.demo.surroundings import check_source, names_kafka, port_for_the_view, without_kafka
from streams.contract.errors import SettingError, SourceError


@pytest.mark.parametrize("name", ["KAFKA_BOOTSTRAP_SERVERS", "FRAMELANE_KAFKA__BOOTSTRAP"])
def test_a_kafka_that_the_environment_names(name: str) -> None:
    assert names_kafka({name: "kafka:9092"})
    assert not names_kafka({name: "", "FRAMELANE_KAFKA__SECURITY": "tls"})


def test_the_embedded_kafkas_commands_hear_of_no_other() -> None:
    environ = {"PATH": "/bin", "FRAMELANE_KAFKA__SECURITY": "tls", "KAFKA_BOOTSTRAP_SERVERS": "x"}
    assert without_kafka(environ) == {"PATH": "/bin"}


def test_the_views_port_is_the_known_one_unless_it_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port_for_the_view(port) == -1
    assert port_for_the_view(port) == port


def test_a_source_that_cannot_be_shown_is_told(tmp_path: Path) -> None:
    (tmp_path / "letter.mp4").write_text("Dear camera")
    for source in (str(tmp_path / "none.mp4"), str(tmp_path / "letter.mp4"), "gopher://x"):
        with pytest.raises(SourceError):
            check_source(source)
    with pytest.raises(SettingError):
        check_source("synthetic:?fps=none")


@pytest.mark.parametrize("source", ["synthetic:", "device:0", "rtsp://127.0.0.1:1/none"])
def test_a_camera_is_left_to_the_one_who_reads_it(source: str) -> None:
    check_source(source)
