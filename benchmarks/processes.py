"""Contenders as processes: started with a log of their own, measured from outside, ended by their ids."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks.job import Job
from framelane.demo.surroundings import without_kafka
from framelane.parent import child_environ
from streams.contract.errors import FramelaneError

ROOT = Path(__file__).parents[1]
QUIX_PYTHON = ROOT / "build" / "quix" / "bin" / "python"
_STOP_S = 15.0
_LOOK_S = 0.05
_LOG_TAIL_BYTES = 2000
_USAGE = 2


class Refused(FramelaneError):
    """The contender does not know what the job asks of it; the message is its own."""


class Contender:
    """One running contender; it ends with the `with` block, or with us.

    name: that of its file among the contenders. Ctrl-C in the terminal is ours, and we end it.
    """

    def __init__(self, name: str, job: Job) -> None:
        self.name = name
        folder = Path(job.folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"{name}.log"
        python = str(QUIX_PYTHON) if name == "quix" else sys.executable
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, "-m", f"benchmarks.contenders.{name}", job.to_json()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                # The job says where Kafka is; what is set for other commands must not.
                env=child_environ({**without_kafka(os.environ), "PYTHONUNBUFFERED": "1"}),
                start_new_session=True,
            )
        self._watched = psutil.Process(self._process.pid)

    def check(self) -> None:
        """FramelaneError, with the end of its log, when it has ended; Refused when it takes the job for a mistake."""
        code = self._process.poll()
        if code is None:
            return
        said = self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip() or "nothing"
        if code == _USAGE:
            raise Refused(said.removeprefix("framelane: "))
        raise FramelaneError(f"{self.name} ended with exit code {code}; its log, {self._log}, ends with:\n{said}")

    def wait_for(self, text: str, *, timeout_s: float = 60.0) -> str:
        """Wait until it has said this; the rest of that line. FramelaneError when it ends, or does not say it."""
        give_up = time.monotonic() + timeout_s
        while True:
            found = self._log.read_text(errors="replace").partition(text)[2]
            if "\n" in found:
                return found.partition("\n")[0]
            self.check()
            if time.monotonic() > give_up:
                raise FramelaneError(f"{self.name} has not said {text!r} within {timeout_s:g} s; its log: {self._log}")
            time.sleep(_LOOK_S)

    def wait_for_end(self, timeout_s: float = 60.0) -> None:
        """Wait until it has ended by itself; FramelaneError when it takes longer, or has not ended well."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise FramelaneError(f"{self.name} has not ended within {timeout_s:g} s; its log: {self._log}") from None
        if code:
            self.check()

    def cpu_s(self) -> float:
        """Processor seconds that it and its children have used."""
        return cpu_s(self._family())

    def rss_bytes(self) -> int:
        """Resident bytes of it and its children."""
        return sum(process.memory_info().rss for process in self._family())

    def stop(self) -> None:
        """End it and its children, as by SIGTERM, and by SIGKILL whoever takes long."""
        try:
            family = self._family()
        except psutil.NoSuchProcess:
            family = []
        for process in family:
            _quietly(process.terminate)
        for process in psutil.wait_procs(family, timeout=_STOP_S)[1]:
            _quietly(process.kill)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _family(self) -> list[psutil.Process]:
        return [self._watched, *self._watched.children(recursive=True)]


def cpu_s(processes: list[psutil.Process]) -> float:
    """Processor seconds, user and system, that these have used; those that are gone count no more."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _quietly(end: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        end()
