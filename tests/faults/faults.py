"""All faults, in the order in which they run."""

from dataclasses import dataclass, field
from typing import Protocol

import f01_killed
import f02_restarted
import f05_paused
import f09_poisoned
import f10_broken
import f11_misbehaving
import f12_bombs
from figures import Figure
from scene import Scene, Setup


class RunFault(Protocol):
    """A fault: it sets up, injures, waits by events, and returns its figures."""

    def __call__(self, scene: Scene, *, short: bool) -> list[Figure]:
        """Run it once. short: with fewer injuries and frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault by its number in the table of faults. repeats: how often `make faults` runs it."""

    number: str
    title: str
    run: RunFault
    setup: Setup = field(default_factory=Setup)
    repeats: int = 3


FAULTS = (
    Fault(number="F1", title="worker killed", run=f01_killed.killed, setup=f01_killed.SETUP, repeats=1),
    Fault(number="F2", title="workers restarted", run=f02_restarted.restarted, setup=f02_restarted.SETUP),
    Fault(
        number="F2",
        title="workers restarted, static",
        run=f02_restarted.restarted_static,
        setup=f02_restarted.STATIC_SETUP,
    ),
    Fault(number="F5", title="worker paused", run=f05_paused.paused, setup=f05_paused.SETUP),
    Fault(number="F9", title="poison, 1 %", run=f09_poisoned.one_in_a_hundred),
    Fault(number="F9", title="poison, all", run=f09_poisoned.all_of_them),
    Fault(number="F10", title="broken frames", run=f10_broken.broken),
    Fault(
        number="F11",
        title="operators raise, return nonsense",
        run=f11_misbehaving.misbehaving,
        setup=f11_misbehaving.MISBEHAVING_SETUP,
    ),
    Fault(number="F11", title="operator hangs", run=f11_misbehaving.hanging, setup=f11_misbehaving.HANGING_SETUP),
    Fault(number="F12", title="image bombs", run=f12_bombs.bombs),
)
