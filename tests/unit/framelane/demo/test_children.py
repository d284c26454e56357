"""Our own commands as child processes."""

from pathlib import Path

import pytest

from framelane.demo.children import Children
from streams.contract.errors import SinkError


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with Children(tmp_path / "none", environ={}) as children, pytest.raises(SinkError, match=r"none/worker\.log"):
        children.start("worker", ["operators"])
