"""Our own commands as child processes, each with a log file."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from consumers.sinks.failed_write import failed_write
from framelane.parent import child_environ
from streams.contract.errors import FramelaneError

_LOG_TAIL_BYTES = 2000


class Children:
    """Commands that run beside us, by name; whatever is left at the end of `with` is stopped.

    folder: for their logs. environ: their environment.
    """

    def __init__(self, folder: Path, *, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, environ
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str], *, more: Mapping[str, str] | None = None) -> None:
        """Start `framelane ARGUMENTS`; what it says goes to NAME.log. SinkError when that cannot be written.

        more: variables for it alone; unlike arguments, they are not for everybody to see.
        """
        path = self._folder / f"{name}.log"
        try:
            log = path.open("wb")
        except OSError as error:
            raise failed_write(path, error) from error
        with log:
            # In a session of its own: Ctrl-C in the terminal is ours, and we stop the children in order.
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "framelane", *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=child_environ({**self._environ, **(more or {})}),
            )

    def ended(self) -> list[str]:
        """Those that run no more; FramelaneError, with the end of its log, when one has failed."""
        done = [name for name, process in self._processes.items() if process.poll() is not None]
        for name in done:
            code = self._processes[name].returncode
            if code:
                raise FramelaneError(f"{name} ended with exit code {code}; {self._log_of(name)}")
        return done

    def said(self, name: str) -> list[str]:
        """The whole lines of its log so far; none of one that was not started."""
        if name not in self._processes:
            return []
        lines = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        return [line.rstrip("\n") for line in lines if line.endswith("\n")]

    def stop(self, names: Sequence[str], *, timeout_s: float = 30.0) -> None:
        """Stop those of them that run, as by SIGTERM, all at once, and wait; SIGKILL for whoever takes longer."""
        started = [self._processes[name] for name in names if name in self._processes]
        running = [process for process in started if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        give_up = time.monotonic() + timeout_s
        for process in running:
            try:
                process.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(list(self._processes), timeout_s=10.0)
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.close()

    def _log_of(self, name: str) -> str:
        path = self._folder / f"{name}.log"
        tail = path.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return f"its log, {path}, ends with:\n{tail}" if tail else f"its log, {path}, is empty"
