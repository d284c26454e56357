"""What tests of the live view need: it as a process on a free port."""

import subprocess
import sys
import time
from pathlib import Path

from kafka_support import cli_environ, unique
from worker_support import Topics


class View:
    """`framelane view` of these topics. Use as a context manager; what it said is printed at the end."""

    def __init__(self, bootstrap: str, topics: Topics, folder: Path, *arguments: str, port: int = -1) -> None:
        self._log = folder / f"{unique('view')}.log"
        self._command = [sys.executable, "-m", "framelane", "view", "--bootstrap", bootstrap, "--port", str(port)]
        self._command += ["--input", topics.raw, "--output", topics.processed]
        self._command += ["--events", topics.events, "--dead-letter", topics.dead_letter, *arguments]
        self.environ: dict[str, str] = {}
        self.address = ""

    def __enter__(self) -> "View":
        with self._log.open("wb") as stderr:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=cli_environ() | self.environ,
            )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        if not self.address:
            self.__exit__()
            raise AssertionError(f"the view did not start: {self.log}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        print(f"view said:\n{self.log[-4000:]}")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rstrip("/").rpartition(":")[2])

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def stop(self, number: int, *, timeout_s: float = 10.0) -> tuple[int, float]:
        """Send a signal; the exit code, and how many seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout_s), time.monotonic() - started
