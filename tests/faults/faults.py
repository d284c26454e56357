"""All faults, in the order in which they run."""

from dataclasses import dataclass, field
from typing import Protocol

import f01_killed
import f02_restarted
import f03_broker
import f04_woken
import f05_paused
import f06_network
import f07_disk
import f08_slow
import f09_poisoned
import f10_broken
import f11_misbehaving
import f12_bombs
import f13_large
import f14_forged
import f15_missing
import f16_grown
import f17_clocks
import f18_denied
import f19_idle
import f20_unplugged
import f21_stalled
from figures import Figure
from scene import Scene, Setup


class RunFault(Protocol):
    """A fault: it sets up, injures, waits by events, and returns its figures."""

    def __call__(self, scene: Scene, *, short: bool) -> list[Figure]:
        """Run it once. short: with fewer injuries and frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault by its number in the table of faults.

    repeats: how often `make faults` runs it. short: whether `make faults-short` runs it, unless it is told which.
    """

    number: str
    title: str
    run: RunFault
    setup: Setup = field(default_factory=Setup)
    repeats: int = 3
    short: bool = True


FAULTS = (
    Fault(number="F1", title="worker killed", run=f01_killed.killed, setup=f01_killed.SETUP, repeats=1),
    Fault(number="F2", title="workers restarted", run=f02_restarted.restarted, setup=f02_restarted.SETUP),
    Fault(
        number="F2",
        title="workers restarted, static",
        run=f02_restarted.restarted_static,
        setup=f02_restarted.STATIC_SETUP,
    ),
    Fault(number="F3", title="broker restarted", run=f03_broker.restarted, setup=f03_broker.SETUP),
    Fault(number="F3", title="brokers of three", run=f03_broker.of_three, setup=f03_broker.THREE_SETUP, short=False),
    Fault(number="F4", title="worker woken", run=f04_woken.woken, setup=f04_woken.SETUP, short=False),
    Fault(number="F5", title="worker paused", run=f05_paused.paused, setup=f05_paused.SETUP, short=False),
    Fault(number="F6", title="worker's network cut", run=f06_network.cut, setup=f06_network.SETUP),
    Fault(number="F6", title="worker's network", run=f06_network.worse, setup=f06_network.SETUP, short=False),
    Fault(
        number="F6",
        title="producers' network",
        run=f06_network.of_a_producer,
        setup=f06_network.SETUP,
        repeats=1,
        short=False,
    ),
    Fault(number="F7", title="broker's disk full", run=f07_disk.full, setup=f07_disk.SETUP, repeats=2, short=False),
    Fault(
        number="F8",
        title="slow, every frame",
        run=f08_slow.every_frame,
        setup=f08_slow.EVERY_FRAME_SETUP,
        repeats=1,
        short=False,
    ),
    Fault(number="F8", title="slow, freshest", run=f08_slow.freshest, setup=f08_slow.FRESHEST_SETUP, short=False),
    Fault(number="F9", title="poison, 1 %", run=f09_poisoned.one_in_a_hundred),
    Fault(number="F9", title="poison, all", run=f09_poisoned.all_of_them),
    Fault(number="F10", title="broken frames", run=f10_broken.broken),
    Fault(
        number="F11",
        title="operators raise, return nonsense",
        run=f11_misbehaving.misbehaving,
        setup=f11_misbehaving.MISBEHAVING_SETUP,
        short=False,
    ),
    Fault(
        number="F11",
        title="operator hangs",
        run=f11_misbehaving.hanging,
        setup=f11_misbehaving.HANGING_SETUP,
        short=False,
    ),
    Fault(number="F12", title="image bombs", run=f12_bombs.bombs),
    Fault(number="F13", title="frame above the limit", run=f13_large.refused, short=False),
    Fault(number="F13", title="output above the limit", run=f13_large.outputs, setup=f13_large.SETUP, short=False),
    Fault(number="F14", title="forged headers", run=f14_forged.forged),
    Fault(number="F15", title="input missing, deleted", run=f15_missing.missing, setup=f15_missing.SETUP, short=False),
    Fault(number="F16", title="partitions grow", run=f16_grown.grown, setup=f16_grown.SETUP, short=False),
    Fault(number="F17", title="clocks an hour off", run=f17_clocks.off, short=False),
    Fault(number="F18", title="output not writable", run=f18_denied.output, setup=f18_denied.SETUP),
    Fault(number="F18", title="dead letters not writable", run=f18_denied.dead_letters, setup=f18_denied.SETUP),
    Fault(number="F19", title="worker without partitions", run=f19_idle.idle, setup=f19_idle.SETUP, short=False),
    Fault(number="F20", title="cameras unplugged, hanging", run=f20_unplugged.unplugged, short=False),
    Fault(number="F21", title="agent stalls", run=f21_stalled.agent, setup=f21_stalled.SETUP, short=False),
    Fault(number="F21", title="loop blocked", run=f21_stalled.loop, setup=f21_stalled.SETUP, short=False),
)
