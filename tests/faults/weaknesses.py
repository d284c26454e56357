"""Each safeguard of a worker, the fault that it belongs to, and what that fault tells of a worker without it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import f01_killed
import f02_restarted
import f10_broken
import f11_misbehaving
import f12_bombs
import f14_forged
import f21_stalled
from faults import RunFault
from figures import Figure
from scene import Scene, Setup

SETTLE_S, HANG_S = 8.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A worker that lacks one safeguard. variant: of worker_variants.py. sound: the same with the safeguard.

    figures: those that the fault then misses; others may be missed as well. quick: it is found out in half a minute.
    wait_s: how long the fault waits for outputs, where it does not say itself.
    """

    variant: str
    fault: RunFault
    figures: tuple[str, ...]
    setup: Setup = field(default_factory=Setup)
    sound: str = "mended"
    quick: bool = True
    wait_s: float = 90.0

    @property
    def name(self) -> str:
        """In words, for a report."""
        return f"{self.variant} {self.fault.__module__}.{self.fault.__name__}"  # type: ignore[attr-defined]


WEAKNESSES = (
    # It acks at once.
    Weakness(
        variant="ack-at-once",
        fault=f01_killed.killed,
        figures=("lost",),
        setup=replace(f01_killed.SETUP, settle_s=SETTLE_S),
    ),
    # It commits nothing before it gives partitions up.
    Weakness(
        variant="no-drain",
        fault=f02_restarted.restarted,
        figures=("duplicates on the wire",),
        setup=f02_restarted.SETUP,
    ),
    # It has no gate before the decoder: kinds, and sizes.
    Weakness(variant="no-gate", fault=f10_broken.broken, figures=("wrong dead letters",)),
    Weakness(variant="no-gate", fault=f12_bombs.bombs, figures=("dead letters", "memory grew by MB"), quick=False),
    # Its frames have no deadline.
    Weakness(
        variant="no-deadline",
        fault=f11_misbehaving.hanging,
        figures=("lost", "hang ended after s"),
        setup=replace(f11_misbehaving.HANGING_SETUP, settle_s=HANG_S),
        wait_s=HANG_S,
    ),
    # It answers to a topic of the sender's choosing.
    Weakness(variant="replies", fault=f14_forged.forged, figures=("published elsewhere",)),
    # It has no watchdog.
    Weakness(
        variant="stalls-unwatched",
        sound="stalls",
        fault=f21_stalled.agent,
        figures=("exit code of the one that stands still", "recovery s"),
        setup=f21_stalled.SETUP,
        quick=False,
    ),
    Weakness(
        variant="stalls-unwatched",
        sound="stalls",
        fault=f21_stalled.loop,
        figures=("exit code of the one that stands still", "recovery s"),
        setup=f21_stalled.SETUP,
        quick=False,
    ),
)


def run(weakness: Weakness, bootstrap: str, folder: Path, *, variant: str) -> list[Figure]:
    """The figures of a short run of the fault with this variant of the worker."""
    with Scene(bootstrap, folder, setup=replace(weakness.setup, variant=variant)) as scene:
        scene.reader.wait_for = partial(scene.reader.wait_for, timeout_s=weakness.wait_s)  # type: ignore[method-assign]
        return weakness.fault(scene, short=True)


def unmet(figures: Iterable[Figure]) -> set[str]:
    """The names of those that do not keep to their limits."""
    return {figure.name for figure in figures if not figure.met}
