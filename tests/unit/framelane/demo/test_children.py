"""Our own commands as child processes."""

import os
import time
from pathlib import Path

import pytest

from framelane.demo.children import Children
from streams.contract.errors import SinkError


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with Children(tmp_path / "none", environ={}) as children, pytest.raises(SinkError, match=r"none/worker\.log"):
        children.start("worker", ["operators"])


def test_what_a_child_has_said_so_far(tmp_path: Path) -> None:
    with Children(tmp_path, environ=os.environ) as children:
        assert children.said("operators") == []
        children.start("operators", ["operators", "--json"])
        while not children.ended():
            time.sleep(0.02)
        assert any("blur" in line for line in children.said("operators"))
