"""Watching processes that are not our children."""

import time
from contextlib import suppress
from pathlib import Path

import psutil


def java_of(pid: int) -> psutil.Process:
    """The one Java process below a process of ours: it runs there by way of its launcher."""
    found = [child for child in psutil.Process(pid).children(recursive=True) if Path(child.exe()).name == "java"]
    assert len(found) == 1, found
    return found[0]


def java_that_formats(pid: int, *, timeout_s: float = 60.0) -> psutil.Process:
    """The Java process below one of ours that formats a folder, as soon as it is there."""
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if Path(child.exe()).name == "java" and "kafka.tools.StorageTool" in child.cmdline():
                    return child
        time.sleep(0.01)
    raise AssertionError(f"process {pid} has formatted nothing within {timeout_s} s")


def wait_empty(folder: Path, *, timeout_s: float = 15.0) -> None:
    """Fail the test when the folder still holds something after that time."""
    give_up = time.monotonic() + timeout_s
    while found := [path.name for path in folder.iterdir()]:
        assert time.monotonic() < give_up, f"still there: {found}"
        time.sleep(0.05)


def wait_gone(*processes: psutil.Process, timeout_s: float = 15.0) -> None:
    """Fail the test when one of them still runs after that time."""
    _, alive = psutil.wait_procs(list(processes), timeout=timeout_s)
    assert not alive, f"still there: {alive}"
