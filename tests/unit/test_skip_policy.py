"""With FRAMELANE_REQUIRE_ALL=1 a skip is a failure, unless pyproject.toml allows it."""

import os
import subprocess
import sys
from pathlib import Path

import skip_policy

TESTS = """
import pytest
def test_runs(): pass
def test_skips(): pytest.skip("no camera here")
@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


def run(folder: Path, *, allowed: str = "", required: str = "1") -> "subprocess.CompletedProcess[str]":
    (folder / "pyproject.toml").write_text(
        f"[tool.pytest.ini_options]\n[tool.framelane]\nallowed_skips = [{allowed}]\n"
    )
    (folder / "test_it.py").write_text(TESTS)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "skip_policy", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(skip_policy.__file__).parent), "FRAMELANE_REQUIRE_ALL": required},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_fails_and_says_why(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed" in result.stdout
    assert "not in [tool.framelane] allowed_skips" in result.stdout
    assert "no camera here" in result.stdout


def test_an_allowed_skip_is_printed(tmp_path: Path) -> None:
    result = run(tmp_path, allowed='"test_it.py::test_skips"')
    assert result.returncode == 0
    assert "allowed skips" in result.stdout
    assert "test_it.py::test_skips" in result.stdout


def test_without_the_variable_a_skip_is_a_skip(tmp_path: Path) -> None:
    result = run(tmp_path, required="")
    assert result.returncode == 0
    assert "1 skipped" in result.stdout


def test_an_entry_allows_all_parameters() -> None:
    assert skip_policy.refusal("a.py::test[x]", ["a.py::test"], required=True) == ""
    assert skip_policy.refusal("a.py::test_b", ["a.py::test"], required=True)
