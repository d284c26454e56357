"""A program apart: signals of the terminal reach it by way of its parent, and it ends with that."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "soak"
OUTER = """
import sys
from soak_apart import run_apart
sys.exit(run_apart([sys.executable, "-c", sys.argv[1]]))
"""
# What it has started does not hear of the signal, and ends by itself.
INNER = """
import subprocess, sys, time
from soak_apart import end_with_parent
end_with_parent()
child = subprocess.Popen([sys.executable, "-c", "input(); print('child ends')"], stdin=subprocess.PIPE)
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    child.communicate(b"\\n")
    sys.exit(7)
"""


def start() -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OUTER, INNER]
    # As a shell does for what runs in its foreground: Ctrl-C goes to the whole group.
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0, env={"PYTHONPATH": str(SOAK)})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_reaches_the_program_alone(number: signal.Signals) -> None:
    with start() as outer:
        assert outer.stdout is not None
        assert outer.stdout.readline().startswith("ready")
        os.killpg(outer.pid, number)
        rest, _ = outer.communicate(timeout=20)
    assert rest.split("\n") == ["interrupted", "child ends", ""]
    assert outer.returncode == 7


def test_it_ends_with_its_parent() -> None:
    with start() as outer:
        assert outer.stdout is not None
        assert outer.stdout.readline().startswith("ready")
        outer.kill()
        rest, _ = outer.communicate(timeout=20)
    assert rest.split("\n")[0] == "interrupted"
