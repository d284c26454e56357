"""What asks for a reload, and that SIGHUP is never anything else."""

import asyncio
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.file_watch import FileWatch
from streams.reload_requests import ReloadRequests, hangup_held, in_thread

WAIT_S = 10


@pytest.fixture(autouse=True)
def held() -> Iterator[None]:
    """SIGHUP held back, as in a process of `framelane work`; and all as before at the end."""
    handler = signal.getsignal(signal.SIGHUP)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    yield
    signal.signal(signal.SIGHUP, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def hang_up() -> None:
    """To this thread: those of the tests' own process do not hold it back."""
    signal.raise_signal(signal.SIGHUP)


def test_one_that_came_before_is_not_lost_and_one_that_comes_after_means_nothing() -> None:
    hang_up()

    async def test() -> None:
        requests = ReloadRequests()
        with requests.listening():
            await asyncio.wait_for(requests.next(), WAIT_S)
        hang_up()

    asyncio.run(test())
    # The loop is closed, and has not left the signal to end the process.
    hang_up()


def test_several_are_one() -> None:
    async def test() -> None:
        requests = ReloadRequests()
        with requests.listening():
            for _ in range(3):
                hang_up()
                for _ in range(5):  # turns of the loop, until it has been told
                    await asyncio.sleep(0)
            await asyncio.wait_for(requests.next(), WAIT_S)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(requests.next(), 0.05)

    asyncio.run(test())


def test_a_change_of_the_file_asks_too(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("one")

    async def test() -> None:
        requests = ReloadRequests(FileWatch(path))
        path.write_text("three")
        await asyncio.wait_for(requests.next(), WAIT_S)

    asyncio.run(test())


CHILD = """
import signal, sys
print(signal.SIGHUP in signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)
sys.stdin.read()
print(signal.sigwait({signal.SIGHUP}).name, flush=True)
"""


def test_a_process_that_is_started_holds_it_from_its_first_moment() -> None:
    async def test() -> None:
        requests = ReloadRequests()
        with requests.listening():
            with hangup_held():
                child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, stdin=-1, stdout=-1)
            child.send_signal(signal.SIGHUP)
            output, _ = await asyncio.wait_for(child.communicate(b""), 60)
            assert output == b"True\nSIGHUP\n"
            # It is taken again here.
            hang_up()
            await asyncio.wait_for(requests.next(), WAIT_S)

    asyncio.run(test())


def test_what_a_thread_returns_or_raises_is_handed_over() -> None:
    async def test() -> None:
        assert await in_thread(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await in_thread(lambda: 1 // 0)

    asyncio.run(test())


def test_a_thread_that_never_returns_keeps_nothing_from_ending() -> None:
    gate = threading.Event()

    async def test() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_thread(gate.wait), 0.01)

    asyncio.run(test())
    gate.set()
