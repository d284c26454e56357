"""A process that is kept running, and told to reload."""

import asyncio
import sys
from pathlib import Path

import pytest

from streams import child_process
from streams.child_process import USAGE, ChildProcess

WAIT_S = 60
# Says that it runs, then how it was told to go on, a line each time.
LISTENS = """
import signal, sys
path = sys.argv[1]
def say(text):
    with open(path, "a") as file:
        file.write(text + "\\n")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGHUP, lambda *_: say("reload"))
say("started")
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
while True:
    signal.pause()
"""


def child(script: str, *arguments: str) -> ChildProcess:
    return ChildProcess("a", [sys.executable, "-c", script, *arguments], environ={})


async def lines(path: Path, count: int) -> list[str]:
    async with asyncio.timeout(WAIT_S):
        while len(found := path.read_text().split() if path.exists() else []) < count:  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.01)
    return found


def test_it_is_told_to_reload_also_before_it_listens(tmp_path: Path) -> None:
    said = tmp_path / "said"

    async def test() -> int:
        kept = child(LISTENS, str(said))
        task = asyncio.ensure_future(kept.keep(sound=False))
        while kept._process is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        kept.reload()
        assert await lines(said, 2) == ["started", "reload"]
        kept.reload()
        assert await lines(said, 3) == ["started", "reload", "reload"]
        kept.stop()
        return await task

    assert asyncio.run(test()) == 0


def test_wrong_settings_end_it_where_they_were_wrong_from_the_start() -> None:
    assert asyncio.run(child("raise SystemExit(2)").keep(sound=False)) == USAGE


@pytest.mark.parametrize(("script", "sound"), [("raise SystemExit(2)", True), ("raise SystemExit(1)", False)])
def test_whatever_else_it_ends_with_it_is_started_again(
    script: str, sound: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "FIRST_DELAY_S", 0.01)
    said = tmp_path / "said"

    async def test() -> int:
        kept = child(f"import sys; open(sys.argv[1], 'a').write('started\\n'); {script}", str(said))
        task = asyncio.ensure_future(kept.keep(sound=sound))
        assert len(await lines(said, 3)) >= 3
        kept.reload()
        kept.stop()
        return await task

    assert asyncio.run(test()) == 0
