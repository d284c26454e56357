"""GStreamer's RTSP server (rtsp_server.py), as a process of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")


def has_rtsp_server() -> bool:
    """Whether the system's Python has GStreamer's bindings (Debian: see .ci/run)."""
    if shutil.which(PYTHON) is None:
        return False
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0


def start_rtsp_server(port: int = 0, *more: str) -> "tuple[subprocess.Popen[bytes], int]":
    """The process, to be killed by the caller, and its port. more: further arguments."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    process = subprocess.Popen([PYTHON, str(SERVER), str(port), *more], stdout=subprocess.PIPE, env=environ)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


@contextmanager
def rtsp_server(port: int = 0, *more: str) -> Iterator[int]:
    """The server's port; it is killed at the end."""
    process, bound = start_rtsp_server(port, *more)
    try:
        yield bound
    finally:
        process.kill()
        process.communicate()
