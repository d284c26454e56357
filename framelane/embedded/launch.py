"""Runs one Java process, and ends it when whoever started us is gone; run by its path, with the standard library only.

    python launch.py FOLDER-TO-REMOVE|- COMMAND...

Our standard input is a pipe that the starter holds open. It closes however the starter ends, SIGKILL included, and
(unlike Linux' PR_SET_PDEATHSIG) not when merely the thread that started us ends. Should we be killed ourselves, Java
goes too where the system can see to that.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

GRACE_S = 10.0
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the command until it ends or our starter does; the command's exit code."""
    folder, command = arguments[0], arguments[1:]
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    # Handlers that do nothing, and not SIG_IGN, which Java would inherit: it then would not heed SIGTERM either.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _nothing)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
    while process.poll() is None:
        ready, _, _ = select.select([sys.stdin, woken], [], [])
        if woken in ready:
            os.read(woken, 64)
        if sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
            if folder == "-":
                _end(process)
            else:
                process.kill()
                process.wait()
                _remove(Path(folder))
    return process.returncode


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _remove(folder: Path) -> None:
    """Remove a node's folder, and the cluster's with the last node's."""
    shutil.rmtree(folder, ignore_errors=True)
    if not any(folder.parent.glob("node-*")):
        shutil.rmtree(folder.parent, ignore_errors=True)


def _die_with_parent() -> None:
    # Safe between fork and exec: this process has one thread.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Wake the loop."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
