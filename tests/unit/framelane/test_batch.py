"""A folder of images through an exchange."""

import asyncio
import json
from pathlib import Path
from typing import cast

import pytest
from echo_exchange import EchoExchange, echo

from framelane.batch import FAILURES, Batch, BatchSums, check_folders, images_in
from framelane.gateway.answers import Route
from framelane.gateway.exchange import Exchange
from streams.contract.errors import SinkError, SourceError

ROUTE = Route(name="echo", requests="q", replies="r", dead_letter="d", label="echo@12345678")


def run(source: Path, target: Path, exchange: EchoExchange | None = None) -> Batch:
    batch = Batch(source, target, cast(Exchange, exchange or EchoExchange(echo)), ROUTE)
    seen: list[BatchSums] = []
    asyncio.run(batch.run(at_once=3, moved=seen.append, stop=asyncio.Event()))
    assert seen
    return batch


def write(folder: Path, *names: str | bytes, data: bytes = b"image") -> Path:
    for name in names:
        path = folder / (name if isinstance(name, str) else name.decode(errors="surrogateescape"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data + str(path.name).encode(errors="replace"))
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_images_of_one_stem_are_all_done(tmp_path: Path) -> None:
    source = write(tmp_path / "in", "a.jpg", "a.png", "sub/a.webp", "b.JPEG", "notes.txt")
    batch = run(source, tmp_path / "out")
    assert (batch.sums.found, batch.sums.done, batch.sums.failed) == (4, 4, 0)
    # The echo says that all are JPEG; what has become another format says so behind its name.
    assert names_in(tmp_path / "out") == ["a.jpg", "a.png.jpg", "b.JPEG", "sub/a.webp.jpg"]
    assert (tmp_path / "out" / "a.png.jpg").read_bytes() == b"imagea.png"
    again = run(source, tmp_path / "out")
    assert (again.sums.done, again.sums.there) == (0, 4)


def test_what_another_pipeline_made_is_a_failure(tmp_path: Path) -> None:
    exchange = EchoExchange(echo)
    exchange.pipeline = "echo@87654321"
    batch = run(write(tmp_path / "in", "a.jpg"), tmp_path / "out", exchange)
    assert [failure.reason for failure in batch.failures] == ["other_pipeline"]
    assert names_in(tmp_path / "out") == [FAILURES]


def test_odd_names_end_neither_the_run_nor_its_list(tmp_path: Path) -> None:
    source = write(tmp_path / "in", "x" * 250 + ".jpg", b"\xff\xfe.jpg", "good.jpg")
    write(source, b"\xfd.jpg", data=b"bad")
    batch = run(source, tmp_path / "out")
    assert (batch.sums.done, batch.sums.failed) == (3, 1)
    (line,) = (tmp_path / "out" / FAILURES).read_text().splitlines()
    assert json.loads(line)["reason"] == "undecodable"


def test_a_file_in_the_place_of_a_folder_is_its_own_failure(tmp_path: Path) -> None:
    source = write(tmp_path / "in", "sub/a.jpg", "b.jpg")
    write(tmp_path / "out", "sub")
    batch = run(source, tmp_path / "out")
    assert [(failure.file, failure.reason) for failure in batch.failures] == [("sub/a.jpg", "unwritable")]
    assert batch.sums.done == 1


def test_folders_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a folder"):
        images_in(tmp_path / "none")
    file = write(tmp_path, "file") / "file"
    with pytest.raises(SinkError, match="not a folder"):
        check_folders(tmp_path, file)
    with pytest.raises(SinkError, match="name another folder"):
        check_folders(tmp_path, tmp_path / "out")
