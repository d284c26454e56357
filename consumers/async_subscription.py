"""Subscriptions for programs on asyncio."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self

from consumers.base_subscription import BaseSubscription, T
from consumers.tally import CameraSums

_POLL_S = 0.5


class AsyncSubscription(Generic[T]):
    """An async iterator over a subscription that lives in a thread of its own; close it, or use `async with`.

    A task that is cancelled while it waits loses nothing: what came meanwhile is the next that is handed out.
    """

    def __init__(self, connect: Callable[[threading.Event], BaseSubscription[T]]) -> None:
        """connect: makes the subscription, which stops waiting for the broker once the event is set; called in the
        thread, when the first item is asked for.
        """
        self._connect, self._ended = connect, threading.Event()
        self._subscription: BaseSubscription[T] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="subscription")
        self._asked: asyncio.Future[T | None] | None = None
        self._closed = False

    @property
    def sums(self) -> Mapping[str, CameraSums]:
        """As of a subscription; empty before the first item is asked for."""
        return {} if self._subscription is None else self._subscription.sums

    @property
    def refused(self) -> Mapping[str, int]:
        """As of a subscription."""
        return {} if self._subscription is None else self._subscription.refused

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._closed:
            if self._asked is None:
                self._asked = asyncio.get_running_loop().run_in_executor(self._thread, self._poll)
            try:
                item = await asyncio.shield(self._asked)
            except asyncio.CancelledError:
                # Ours to hand out later, unless it is the thread that was closed.
                raise
            except BaseException:
                self._asked = None
                await self.aclose()
                raise
            self._asked = None
            if item is not None:
                return item
            if self._subscription is not None and self._subscription.ended:
                await self.aclose()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Leave; as `close()` of a subscription. What was asked for and not handed out is not acknowledged."""
        if self._closed:
            return
        self._closed = True
        self._ended.set()
        # From here, so that a poll in the thread ends at once.
        if self._subscription is not None:
            await asyncio.to_thread(self._subscription.close)
        self._thread.shutdown(wait=False)

    def _poll(self) -> T | None:
        if self._subscription is None:
            self._subscription = self._connect(self._ended)
            if self._closed:
                self._subscription.close()
        return self._subscription.poll(_POLL_S)
