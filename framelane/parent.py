"""Processes that end with the one that started them, however that one ends."""

import os
import signal
import threading
from collections.abc import Mapping

_VARIABLE = "FRAMELANE_END_WITH_STDIN"


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command of ours whose standard input is a pipe that its parent holds open."""
    return {**environ, _VARIABLE: "1"}


def end_with_parent() -> None:
    """Where a parent asked for it: stop, as by SIGTERM, when the pipe closes. SIGKILL of the parent closes it, too."""
    if not os.environ.pop(_VARIABLE, ""):
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
