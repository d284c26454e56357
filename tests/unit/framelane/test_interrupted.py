"""Ctrl-C while modules are being loaded is the exit code 130, SIGTERM is 0; neither is a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

# The module stands for any with a dataclass: its class is made by `exec` of a text.
MODULE = 'exec("import os, signal; os.kill(os.getpid(), signal.{}); signal.pause()")'


@pytest.mark.parametrize("name", ["typer", "framelane.cli.main", "framelane.logs"])
@pytest.mark.parametrize(("told", "code"), [("SIGINT", 130), ("SIGTERM", 0)])
def test_told_to_end_while_a_module_is_being_loaded(tmp_path: Path, name: str, told: str, code: int) -> None:
    (tmp_path / "probe.py").write_text(f"""
import importlib.abc, importlib.machinery, sys

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == {name!r} else None
    def exec_module(self, module):
        {MODULE.format(told)}

sys.meta_path.insert(0, Finder())
from framelane.__main__ import main
sys.argv = ["framelane", "topics", "describe"]
main()
""")
    # By -m: that is where Python ends by the signal though an exit code was asked for.
    command = [sys.executable, "-m", "probe"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
