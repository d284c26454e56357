"""Signals that come while code runs that cannot bear them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Have the handlers of SIGINT and SIGTERM run after this block, and not within it.

    To make a client of confluent-kafka within: while it reads its settings, it takes whatever a handler raises for a
    setting of the wrong type, and raises TypeError instead, so that Ctrl-C would end in a traceback. Elsewhere than in
    the main thread, where Python runs the handlers, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        came.append(number)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # The others (ignored, the system's default, not Python's) run no Python code.
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    # An event loop would hear of a signal twice: when it comes, and when it is raised again.
    wakeup = signal.set_wakeup_fd(-1)
    try:
        for number in handlers:
            signal.signal(number, hold)
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for held in came:
            signal.raise_signal(held)
