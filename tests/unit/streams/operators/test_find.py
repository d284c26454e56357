from pathlib import Path

import pytest

from streams.contract.errors import SettingError
from streams.operators import OPERATORS
from streams.operators.find import all_operators, find_operator


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package beside us that brings the operators finds and broken."""
    metadata = tmp_path / "extra-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[framelane.operators]\nfinds = odd_operators:Finds\nbroken = odd_operators:NoDataclass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("name", OPERATORS)
def test_ours(name: str) -> None:
    assert find_operator(name) is OPERATORS[name]
    assert OPERATORS[name].__name__.lower() == name.replace("_", "")


@pytest.mark.usefixtures("installed")
def test_by_entry_point() -> None:
    assert find_operator("finds").__name__ == "Finds"
    with pytest.raises(SettingError, match="'broken' is not an operator: it is not a dataclass"):
        find_operator("broken")


@pytest.mark.usefixtures("installed")
def test_an_installed_operator_that_is_broken_is_told_of() -> None:
    with pytest.raises(SettingError, match="broken"):
        all_operators()


def test_all_of_them() -> None:
    assert list(all_operators()) == [*OPERATORS, "remote"]


def test_by_module_and_class() -> None:
    assert find_operator("odd_operators:Finds").__name__ == "Finds"


@pytest.mark.parametrize(
    ("op", "told"),
    [
        ("nosuch.module:Class", "cannot be loaded: No module named 'nosuch'; its package must be installed"),
        ("odd_operators:Nothing", "cannot be loaded: AttributeError: .*Nothing"),
        ("odd_operators:not_a_class", "is not an operator: it is a function, not a class"),
        ("json:JSONEncoder", "is not an operator: it lacks memory_frames, needs, changes_image, open"),
        ("odd_operators:NoDataclass", "is not an operator: it is not a dataclass"),
        ("odd_operators:NeedsMuch", "its needs is 'infrared', not 'color', 'gray', 'any' or 'none'"),
        ("blr", "there is no operator 'blr'; did you mean 'blur'"),
    ],
)
def test_refuses(op: str, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        find_operator(op)


def test_a_module_that_fails_as_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_operators.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SettingError, match="'failing_operators:Any' cannot be loaded: ZeroDivisionError"):
        find_operator("failing_operators:Any")
