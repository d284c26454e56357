"""Ending on a signal: Ctrl-C is the exit code 130, SIGTERM is 0, and both let what was begun be finished."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from streams.contract.errors import Stopped

_AGAIN_S = 0.05


class Stop:
    """Set by the first SIGINT or SIGTERM, so that what is in hand is finished; the second ends at once.

    event: is set then, for those who wait for it.
    """

    def __init__(self, event: threading.Event | None = None) -> None:
        self.event = event or threading.Event()
        self.interrupted = False

    @property
    def requested(self) -> bool:
        """Whether to end now."""
        return self.event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is time to end, or for so long; whether it is time."""
        return self.event.wait(timeout_s)

    def on_signal(self, number: int, _: FrameType | None) -> None:
        """The handler. `interrupted` tells whether any of the signals was Ctrl-C."""
        again = self.requested
        self.interrupted = self.interrupted or number == signal.SIGINT
        self.event.set()
        if again:
            raise KeyboardInterrupt if number == signal.SIGINT else Stopped(0)


@contextmanager
def stop_on_signals(stop: Stop | None = None) -> Iterator[Stop]:
    """Have Ctrl-C and SIGTERM end a loop that asks `stop.requested`, within this block. stop: to be set then."""
    stop = stop or Stop()
    before = {number: signal.signal(number, stop.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_on(*numbers: signal.Signals) -> None:
    """Have these signals end the process from wherever it is, through every `finally`, with the exit code 0.

    One that is ignored stays so: that is how `nohup` keeps a command alive.
    """
    for number in numbers:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _exit)
    sys.unraisablehook = partial(_exit_after_all, sys.unraisablehook)


def _exit(number: int, _: FrameType | None) -> None:
    # Whoever asks twice must not interrupt the orderly end that the first time began.
    signal.signal(number, signal.SIG_IGN)
    raise _StoppedBy(number)


class _StoppedBy(Stopped):
    def __init__(self, number: int) -> None:
        super().__init__(0)
        self.number = number


def _exit_after_all(otherwise: Callable[["sys.UnraisableHookArgs"], Any], unraisable: "sys.UnraisableHookArgs") -> None:
    """Python forgets what is raised within finalizers, and within what imports call: there the signal comes again."""
    if not isinstance(unraisable.exc_value, _StoppedBy):
        otherwise(unraisable)
        return
    number = unraisable.exc_value.number
    signal.signal(number, _exit)
    # Not from here, where it would be forgotten as well; to the main thread, which may be asleep.
    again = threading.Timer(_AGAIN_S, signal.pthread_kill, [threading.main_thread().ident, number])
    again.daemon = True
    again.start()
