"""When the file of the pipelines is to be read again: on SIGHUP, and on its change when that is watched.

From its first moment on a process of `framelane work` holds SIGHUP back, which otherwise would end it, and takes it
in here. One that came meanwhile is not lost; one that comes when the worker is about to end means nothing.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from streams.file_watch import POLL_S, FileWatch

Result = TypeVar("Result")

_HANGUP = {signal.SIGHUP}


class ReloadRequests:
    """What asks for a reload. watch: the file's, or None where only SIGHUP counts."""

    def __init__(self, watch: FileWatch | None = None) -> None:
        self._watch = watch
        self._asked = asyncio.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within this block SIGHUP is taken, on the running loop; after it, it is ignored."""
        loop = asyncio.get_running_loop()
        # Not by the loop's own handlers: when it closes, it leaves their signals to end the process.
        signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(self._asked.set))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANGUP)
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def next(self) -> None:
        """Return when a reload is asked for; several requests that come in the meantime are one."""
        while not self._asked.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), POLL_S if self._watch else None)
            if self._watch is not None:
                changed = await in_thread(self._watch.changed)
                if changed:
                    break
        self._asked.clear()


@contextmanager
def hangup_held() -> Iterator[None]:
    """While listening: within this block SIGHUP is held back, and in a process started in it until that takes it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANGUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANGUP)


async def in_thread(call: Callable[[], Result]) -> Result:
    """What the call returns or raises, made in a thread of its own.

    Unlike one of asyncio's, that thread keeps nothing from ending when the call never returns.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def deliver(result: Result | None, error: BaseException | None) -> None:
        if not future.done():
            future.set_exception(error) if error else future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result = error = None
        try:
            result = call()
        except BaseException as raised:  # noqa: BLE001 - handed to whoever asked, as asyncio.to_thread does
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name="reload", daemon=True).start()
    return await future
