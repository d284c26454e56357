"""A process for each shadow: what becomes of it is no matter of those that are live."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from noted_support import WAIT_S, hangup_put_back, noted

from streams.pipeline_settings import PipelineSettings
from streams.shadow_processes import ShadowProcesses
from streams.shadow_settings import ShadowFile
from streams.supervisor import Supervisor

LIVE = (PipelineSettings(name="a"), PipelineSettings(name="b"))
# Notes its beginning and its end.
SCRIPT = """
import signal, sys
def note(what):
    with open(sys.argv[1], "a") as file:
        file.write(f"{sys.argv[2]} {what}\\n")
def end(*_):
    note("ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
note("begins")
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """What the supervisor does to SIGHUP is undone."""
    with hangup_put_back():
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new.toml"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    found = tmp_path / "notes"
    found.write_text("")
    return found


def put(path: Path, **qualities: int) -> None:
    path.write_text("".join(f'[[pipeline]]\nname = "{name}"\nquality = {q}\n' for name, q in qualities.items()))


def script(notes: Path) -> Callable[[str], Sequence[str]]:
    return lambda name: [sys.executable, "-c", SCRIPT, str(notes), name]


def test_what_has_changed_is_started_anew_be_it_the_shadow_or_what_is_live(path: Path, notes: Path) -> None:
    put(path, a=50, b=50)
    file = ShadowFile(path=path)

    async def test() -> None:
        shadows = ShadowProcesses(file, file.read(LIVE), script(notes), environ={})
        shadows.start()
        await noted(notes, "a begins", "b begins")
        put(path, a=40, b=50)
        await shadows.reload(LIVE)
        await noted(notes, "a ends", "a begins")
        await shadows.reload([LIVE[0], PipelineSettings(name="b", quality=90)])
        await noted(notes, "b ends", "b begins")
        put(path, a=40)
        await shadows.reload(LIVE)
        await noted(notes, "b ends")
        shadows.stop()
        await asyncio.gather(*shadows.tasks)
        await noted(notes, "a ends")

    asyncio.run(test())


def test_the_one_that_is_stopped_has_ended_before_the_next_one_begins(path: Path, notes: Path) -> None:
    put(path, a=50)
    file = ShadowFile(path=path)
    takes_its_time = SCRIPT.replace('    note("ends")', '    import time; time.sleep(0.5)\n    note("ends")')

    async def test() -> list[str]:
        command = [sys.executable, "-c", takes_its_time, str(notes)]
        shadows = ShadowProcesses(file, file.read(LIVE), lambda name: [*command, name], environ={})
        shadows.start()
        await noted(notes, "a begins")
        put(path, a=40)
        await shadows.reload(LIVE)
        found = await noted(notes, "a ends", "a begins")
        shadows.stop()
        await asyncio.gather(*shadows.tasks)
        return found

    assert asyncio.run(test()) == ["a ends", "a begins"]


def test_a_mistake_leaves_them_as_they_are_but_for_those_whose_pipeline_is_gone(
    path: Path, notes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(path, a=50, b=50)
    file = ShadowFile(path=path)

    async def test() -> None:
        shadows = ShadowProcesses(file, file.read(LIVE), script(notes), environ={})
        shadows.start()
        await noted(notes, "a begins", "b begins")
        put(path, a=0, b=50)
        await shadows.reload(LIVE)
        assert "quality" in caplog.text
        assert "the shadows go on as they were" in caplog.text
        await shadows.reload(LIVE[:1])
        await noted(notes, "b ends")
        shadows.stop()
        await asyncio.gather(*shadows.tasks)
        await noted(notes, "a ends")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["/no/such"], "a-shadow cannot be started, and the live pipelines go on"),
        ([sys.executable, "-c", "import sys; sys.exit(2)"], "worker of pipeline a-shadow ended with 2; starting again"),
    ],
)
def test_a_shadow_that_cannot_run_ends_nothing(
    path: Path, notes: Path, command: list[str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(path, a=50)
    file = ShadowFile(path=path)

    async def test() -> int:
        shadows = ShadowProcesses(file, file.read(LIVE), lambda name: command, environ={})
        supervisor = Supervisor(LIVE[:1], script(notes), file=None, environ={}, shadows=shadows)
        running = asyncio.ensure_future(supervisor.run())
        await noted(notes, "a begins")
        async with asyncio.timeout(WAIT_S):
            while told not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not running.done()
        signal.raise_signal(signal.SIGTERM)
        await noted(notes, "a ends")
        return await running

    assert asyncio.run(test()) == 0


def test_a_shadow_that_does_not_end_is_not_waited_for(path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.shadow_processes.STOP_S", 0.2)
    put(path, a=50)
    file = ShadowFile(path=path)
    stubborn = SCRIPT.replace("signal.signal(signal.SIGTERM, end)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")

    async def test() -> None:
        command = [sys.executable, "-c", stubborn, str(notes)]
        shadows = ShadowProcesses(file, file.read(LIVE), lambda name: [*command, name], environ={})
        shadows.start()
        await noted(notes, "a begins")
        shadows.stop()
        async with asyncio.timeout(WAIT_S / 2):
            await asyncio.gather(*shadows.tasks)

    asyncio.run(test())
