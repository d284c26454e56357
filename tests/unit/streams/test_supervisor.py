"""Several processes by one file: what comes and goes in it."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from noted_support import WAIT_S, hangup_put_back, noted

from streams.pipeline_settings import load_pipelines
from streams.reload_rules import PipelineFile
from streams.supervisor import Supervisor

# Notes its beginning, what it is told, and its end, which takes its time.
SCRIPT = """
import signal, sys, time
def note(what):
    with open(sys.argv[1], "a") as file:
        file.write(f"{sys.argv[2]} {what}\\n")
def end(*_):
    time.sleep(0.2)
    note("ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGHUP, lambda *_: note("reloads"))
note("begins")
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """What the supervisor does to SIGHUP is undone."""
    with hangup_put_back():
        yield


def put(path: Path, *names: str) -> None:
    path.write_text("".join(f'[[pipeline]]\nname = "{name}"\n' for name in names))


def test_what_is_new_is_started_and_what_is_gone_is_stopped(tmp_path: Path) -> None:
    path, notes = tmp_path / "p.toml", tmp_path / "notes"
    put(path, "a", "b")
    notes.write_text("")

    async def test() -> int:
        file = PipelineFile(path=path, serves="all")
        command = [sys.executable, "-c", SCRIPT, str(notes)]
        supervisor = Supervisor(load_pipelines(path), lambda name: [*command, name], file=file, environ={})
        running = asyncio.ensure_future(supervisor.run())
        await noted(notes, "a begins", "b begins")
        put(path, "a", "b", "c")
        signal.raise_signal(signal.SIGHUP)
        await noted(notes, "a reloads", "b reloads", "c begins")
        put(path, "a", "c")
        signal.raise_signal(signal.SIGHUP)
        await noted(notes, "a reloads", "c reloads", "b ends")
        # Gone, and back before it has ended: the new process waits for the old one.
        put(path, "a")
        signal.raise_signal(signal.SIGHUP)
        async with asyncio.timeout(WAIT_S):
            while "a reloads" not in notes.read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        put(path, "a", "c")
        signal.raise_signal(signal.SIGHUP)
        await noted(notes, "a reloads", "c ends", "a reloads", "c begins")
        signal.raise_signal(signal.SIGTERM)
        await noted(notes, "a ends", "c ends")
        return await running

    assert asyncio.run(test()) == 0


def test_a_command_that_says_at_once_that_its_settings_are_wrong_ends_all(tmp_path: Path) -> None:
    path, notes = tmp_path / "p.toml", tmp_path / "notes"
    put(path, "a", "b")

    async def test() -> int:
        file = PipelineFile(path=path, serves="all")
        script = "import sys; sys.exit(2) if sys.argv[2] == 'b' else sys.stdin.read()"
        command = [sys.executable, "-c", script, str(notes)]
        return await Supervisor(load_pipelines(path), lambda name: [*command, name], file=file, environ={}).run()

    assert asyncio.run(test()) == 2


def test_a_command_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    put(path, "a")

    async def test() -> int:
        file = PipelineFile(path=path, serves="all")
        return await Supervisor(load_pipelines(path), lambda name: ["/no/such"], file=file, environ={}).run()

    with pytest.raises(FileNotFoundError):
        asyncio.run(test())
