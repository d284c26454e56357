"""What tests of supervised processes share: a file in which these note what they do, and SIGHUP as it was."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 60


@contextmanager
def hangup_put_back() -> Iterator[None]:
    """What the supervisor does to SIGHUP is undone; within, it is blocked."""
    handler, mask = signal.getsignal(signal.SIGHUP), signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    yield
    signal.signal(signal.SIGHUP, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


async def noted(path: Path, *lines: str) -> list[str]:
    """Wait until these lines, and no others, have been added, in whatever order; the file is then emptied."""
    found: list[str] = []
    async with asyncio.timeout(WAIT_S):
        while len(found) < len(lines):
            found = path.read_text().splitlines()  # noqa: ASYNC240
            await asyncio.sleep(0.01)
    assert sorted(found) == sorted(lines)
    path.write_text("")  # noqa: ASYNC240
    return found
