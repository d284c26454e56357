"""How other threads hand calls to the event loop: many calls, one wake-up."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

# How soon a tick is, and while calls wait for it that have time: nobody notices that where frames wait for a thread,
# and the loop, whose code is no longer in the caches after each picture, is woken for several calls at once.
TICK_S = 0.01
BUSY_TICK_S = 0.025
# So many calls wait for no tick.
MANY = 8


class Mailbox:
    """Calls posted by any thread are made on the loop, in the order in which they were posted.

    `call_soon_threadsafe` writes to a socket each time; at hundreds of frames a second from several threads it is
    cheaper to wake the loop once for all that has gathered. on_error: called on the loop with what a call raised.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, on_error: Callable[[Exception], None]) -> None:
        self._loop, self._on_error = loop, on_error
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._woken = False
        # Ticks to come, and whether calls have waited for the last one.
        self._ticks, self._waited = 0, False

    def post(self, call: Callable[..., None], *args: Any, has_time: bool = False) -> None:
        """Have `call(*args)` made on the loop; dropped once the loop is closed.

        has_time: it may wait for the next tick, if there is one to come.
        """
        self._calls.append((call, args))
        if self._woken:
            return
        if has_time and self._ticks and len(self._calls) < MANY:
            self._waited = True
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            # The loop is closed: the process ends, and nobody is left to call.
            self._calls.clear()

    def later(self, delay_s: float, call: Callable[..., None], *args: Any) -> None:
        """Have `call(*args)` made on the loop after a while; to be called on the loop."""
        self._loop.call_later(delay_s, self._call, call, args)

    def next_tick(self, call: Callable[..., None]) -> None:
        """Have `call()` made on the loop soon, and then what waits for that; to be called on the loop."""
        self._ticks += 1
        self._loop.call_later(BUSY_TICK_S if self._waited else TICK_S, self._tick, call)
        self._waited = False

    def _tick(self, call: Callable[..., None]) -> None:
        # First the count: whatever is appended from here on either is seen below, or wakes the loop or finds a tick.
        self._ticks -= 1
        self._call(call, ())
        self._deliver()

    def _deliver(self) -> None:
        # First the flag: whatever is appended from here on either is seen below or wakes the loop again.
        self._woken = False
        while self._calls:
            self._call(*self._calls.popleft())

    def _call(self, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            call(*args)
        except Exception as error:  # noqa: BLE001 - a defect of ours: it must not strand the calls behind it
            self._on_error(error)
