"""A program in a session of its own: Ctrl-C at the terminal reaches it by way of us, and nothing that it started."""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence


def run_apart(command: Sequence[str]) -> int:
    """Run it to its end, and hand SIGINT and SIGTERM on to it as SIGINT; its exit code."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as program:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: program.send_signal(signal.SIGINT))
        return program.wait()


def end_with_parent() -> None:
    """Have Ctrl-C come to this process when whoever runs it apart is no more."""
    # What a shell runs in the background begins deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def wait() -> None:
        # Not by way of sys.stdin, whose lock a thread must not hold when Python ends.
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, name="parent", daemon=True).start()
