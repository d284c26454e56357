"""Fetching Kafka's jars."""

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
import requests

from framelane.embedded import jars
from streams.contract.errors import EmbeddedBrokerError


def test_the_cache_is_in_the_users_folder_or_where_xdg_says() -> None:
    assert jars.cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/framelane/kafka-4.3.0")
    assert jars.cache_folder({}) == Path.home() / ".cache/framelane/kafka-4.3.0"


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / name).touch()
    assert jars.classpath(tmp_path) == os.pathsep.join([str(tmp_path / "a.jar"), str(tmp_path / "b.jar")])


def test_without_a_network_the_mend_is_told_and_nothing_half_done_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(repository: Path) -> list[Path]:
        repository.mkdir()
        (repository / "half.jar").touch()
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(jars, "_download", no_network)
    with pytest.raises(EmbeddedBrokerError, match=r"needed once.*--bootstrap"):
        jars.classpath(tmp_path / "kafka")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(repository: Path) -> list[Path]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jars, "_download", full)
    with pytest.raises(EmbeddedBrokerError, match="No space left on device"):
        jars.classpath(tmp_path / "kafka")


def test_a_page_in_place_of_the_registry_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def login_page(repository: Path) -> list[Path]:
        raise ElementTree.ParseError("not well-formed")

    monkeypatch.setattr(jars, "_download", login_page)
    with pytest.raises(EmbeddedBrokerError, match="Maven Central: not well-formed"):
        jars.classpath(tmp_path / "kafka")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(EmbeddedBrokerError, match="XDG_CACHE_HOME"):
        jars.cache_folder({})


def test_what_is_to_be_fetched_is_told_in_a_sentence_and_only_then(tmp_path: Path) -> None:
    assert jars.to_be_fetched(tmp_path) == ""
    assert jars.to_be_fetched(tmp_path / "kafka") == (
        f"fetching Apache Kafka 4.3.0 and its libraries (42 MB, once; kept in {tmp_path}) ..."
    )
