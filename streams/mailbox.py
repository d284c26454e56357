"""How other threads hand calls to the event loop: many calls, one wake-up."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Mailbox:
    """Calls posted by any thread are made on the loop, in the order in which they were posted.

    `call_soon_threadsafe` writes to a socket each time; at hundreds of frames a second from several threads it is
    cheaper to wake the loop once for all that has gathered. on_error: called on the loop with what a call raised.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, on_error: Callable[[Exception], None]) -> None:
        self._loop, self._on_error = loop, on_error
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._woken = False

    def post(self, call: Callable[..., None], *args: Any) -> None:
        """Have `call(*args)` made on the loop; dropped once the loop is closed."""
        self._calls.append((call, args))
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                # The loop is closed: the process ends, and nobody is left to call.
                self._calls.clear()

    def later(self, delay_s: float, call: Callable[..., None], *args: Any) -> None:
        """Have `call(*args)` made on the loop after a while; to be called on the loop."""
        self._loop.call_later(delay_s, self._call, call, args)

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
