"""How far a replay is: frames, rate, time left; a bar on stderr where that is a terminal, else a line of the log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from framelane.replay.places import Place, frames_of

log = logging.getLogger(__name__)

_TOLD_S = 30.0


class Rate:
    """Frames that are done since it was made. clock: in s."""

    def __init__(self, done: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._first, self._clock, self._began = done, clock, clock()

    def of(self, done: int) -> float:
        """Frames a second up to now."""
        return (done - self._first) / max(1e-3, self._clock() - self._began)


@contextmanager
def replay_bar(what: str, rate: Rate, *, shown: bool = True) -> Iterator[Callable[[Mapping[int, Place]], None]]:
    """Gives what is to be called with the places of the run. shown: else it says nothing."""
    terminal = sys.stderr.isatty()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
    )
    told_at = time.monotonic() + _TOLD_S

    def moved(places: Mapping[int, Place]) -> None:
        nonlocal told_at
        done, whole = frames_of(places)
        progress.update(task, completed=done, total=whole, rate=rate.of(done))
        if shown and not terminal and time.monotonic() >= told_at:
            told_at = time.monotonic() + _TOLD_S
            log.info("%s: %d of %d frames, %.0f/s", what, done, whole, rate.of(done))

    with Progress(*columns, console=Console(stderr=True), disable=not (shown and terminal)) as progress:
        task = progress.add_task(what, total=None, rate=0.0)
        yield moved
