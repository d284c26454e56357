"""Which files a visitor of the page may have opened."""

from pathlib import Path

import pytest

from consumers.reported import Reported
from framelane.view.tryout.files import Files
from streams.contract.status import Status
from streams.operators import OPERATORS

NOW = 10_000_000_000


def running(**parameters: str) -> Reported:
    status = Status(
        role="worker",
        instance="w",
        version="1",
        started_ns=0,
        reported_ns=NOW,
        state="running",
        settings={"operators": [{"op": "faces", **parameters}, {"op": "acme:Other", "model": "/etc/shadow"}]},
    )
    return Reported(status, now_ns=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    for path in (models / "yunet.onnx", models / "coco.txt", tmp_path / "secret.onnx"):
        path.write_bytes(b"content")
    (models / "link.onnx").symlink_to(tmp_path / "secret.onnx")
    (models / "folder.onnx").mkdir()
    return models


def test_a_name_below_the_folder_becomes_its_path(folder: Path) -> None:
    found, wrong = Files(folder, list).resolved(0, "faces", {"model": "yunet.onnx", "score": 0.5})
    assert (found, wrong) == ({"model": str(folder / "yunet.onnx"), "score": 0.5}, [])


@pytest.mark.parametrize(
    "model",
    ["../secret.onnx", "/etc/passwd", "link.onnx", "folder.onnx", "coco.txt", "absent.onnx", "", "a\0b", "x" * 5000],
)
def test_everything_else_is_refused_in_the_same_words(folder: Path, model: str) -> None:
    _, (wrong,) = Files(folder, list).resolved(2, "faces", {"model": model})
    assert (wrong.operator, wrong.key) == (2, "model")
    assert "expected the name of a file below the folder that --models gives" in wrong.message


def test_without_a_folder_there_is_nothing_but_what_runs(folder: Path) -> None:
    path = str(folder / "yunet.onnx")
    assert Files(None, list).resolved(0, "faces", {"model": path})[1]
    files = Files(None, lambda: [running(model=path)])
    assert files.resolved(0, "faces", {"model": path}) == ({"model": path}, [])
    assert files.names() == [path]


def test_a_report_does_not_open_what_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("root")
    assert Files(None, lambda: [running(model=str(path))]).resolved(0, "faces", {"model": str(path)})[1]


def test_labels_may_be_a_list_and_a_file(folder: Path) -> None:
    files = Files(folder, list)
    given = {"model": "yunet.onnx", "labels": ["cat", "dog"]}
    assert files.resolved(0, "detect", given)[0]["labels"] == ["cat", "dog"]
    assert files.resolved(0, "detect", given | {"labels": "/etc/hosts"})[1][0].key == "labels"
    assert files.names() == ["coco.txt", "yunet.onnx"]


def test_every_operator_that_opens_files_says_so() -> None:
    """`files` is what the try-out goes by: an operator whose module reads files has to have it."""
    import inspect

    for op, operator in OPERATORS.items():
        source = inspect.getsource(inspect.getmodule(operator))  # type: ignore[arg-type]
        reads = any(word in source for word in ("read_model", "open(self.", "Path(", "read_bytes", "imread"))
        assert reads == bool(getattr(operator, "files", ())), op
