import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.operators.checks import ParameterError
from streams.operators.networks import Spares, read_model


@dataclass(frozen=True)
class Thing:
    """An operator with a file."""

    model: str


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"one")
    first = read_model(Thing(str(path)))

    assert read_model(Thing(str(path))).content is first.content
    path.write_bytes(b"two")
    # A coarse clock may have the same time for both.
    os.utime(path, ns=(1, 1))
    second = read_model(Thing(str(path)))
    assert (first.content, second.content) == (b"one", b"two")
    assert first.digest != second.digest


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r'thing: model = ".*x": expected a file that can be read \(No such file'):
        read_model(Thing(str(tmp_path / "x")))
    with pytest.raises(ParameterError, match=r"expected a file that can be read .*null"):
        read_model(Thing("a\0b"))


def test_no_more_are_made_than_are_used_at_once() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    spares = Spares(make)
    assert len(made) == 1
    with spares.one() as first, spares.one() as second:
        assert first is not second
    for _ in range(3):
        with spares.one() as third, spares.one() as fourth:
            assert {id(third), id(fourth)} == {id(first), id(second)}
    assert len(made) == 2


def test_one_whose_use_failed_is_not_used_again() -> None:
    spares = Spares(object)

    with pytest.raises(ValueError, match="broken"), spares.one() as first:
        raise ValueError("broken")

    with spares.one() as second:
        assert second is not first
