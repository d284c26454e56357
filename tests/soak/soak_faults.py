"""The faults of a soak: each is done to a whole arena, lasts as long as it lasts, and leaves whole what it can mend."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from figures import Injury
from soak_arena import PARTITIONS, SESSION_S, WORKERS, Arena

EVERY = frozenset(range(PARTITIONS))
SHORT_S, BEYOND_S = 3.0, SESSION_S + 5.0
CUT_S = (4.0, 8.0)
POISONED = (40, 120)
BROKER_START_S = 180.0
# As in the fault runner: what a busy machine may take, how long clients wait before they try a broker again.
GRACE_S, BACK_S = 10.0, 15.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault. limit_s: by when the cameras go on, from its end. repeats: whether it may double answers on the wire."""

    do: Callable[[Arena, random.Random], Injury]
    limit_s: float
    repeats: bool


def _kill(arena: Arena, drawn: random.Random) -> Injury:
    slot, injury = _victim(arena, drawn, "kill -9")
    arena.workers[slot].kill()
    arena.replace(slot)
    return injury


def _restart(arena: Arena, drawn: random.Random) -> Injury:
    slot, injury = _victim(arena, drawn, "SIGTERM")
    arena.stop(slot)
    arena.replace(slot)
    return injury


def _pause_shortly(arena: Arena, drawn: random.Random) -> Injury:
    return _pause(arena, drawn, "paused", SHORT_S)


def _pause_beyond(arena: Arena, drawn: random.Random) -> Injury:
    return _pause(arena, drawn, "paused beyond session", BEYOND_S)


def _pause(arena: Arena, drawn: random.Random, what: str, lasts_s: float) -> Injury:
    slot, injury = _victim(arena, drawn, what)
    process = arena.workers[slot].process
    process.send_signal(signal.SIGSTOP)
    try:
        # The fault is that it lasts.
        time.sleep(lasts_s)
    finally:
        process.send_signal(signal.SIGCONT)
    return _over(injury)


def _stop_broker(arena: Arena, _: random.Random) -> Injury:
    [node] = arena.cluster.kafka.nodes
    try:
        node.stop()
    finally:
        # From now on: while it stops in order it serves for a while yet.
        injury = Injury(time.time(), EVERY, "broker restarted")
        node.start(timeout_s=BROKER_START_S)
    return _over(injury)


def _kill_broker(arena: Arena, _: random.Random) -> Injury:
    [node] = arena.cluster.kafka.nodes
    injury = Injury(time.time(), EVERY, "broker kill -9")
    try:
        node.kill()
    finally:
        node.start(timeout_s=BROKER_START_S)
    return _over(injury)


def _cut(arena: Arena, drawn: random.Random) -> Injury:
    proxy = arena.cluster.proxy
    assert proxy is not None and proxy.connections, "the first worker goes another way"
    members = arena.whole()
    injury = Injury(time.time(), frozenset(members[arena.workers[0].name]), "network cut")
    proxy.cut()
    try:
        time.sleep(drawn.uniform(*CUT_S))
    finally:
        proxy.heal()
    return _over(injury)


def _poison(arena: Arena, drawn: random.Random) -> Injury:
    injury = Injury(time.time(), EVERY, "poison")
    arena.poison(drawn, drawn.randint(*POISONED))
    return _over(injury)


KINDS = {
    "worker killed": Kind(_kill, SESSION_S + GRACE_S, repeats=True),
    "worker restarted": Kind(_restart, GRACE_S, repeats=False),
    "worker paused": Kind(_pause_shortly, GRACE_S, repeats=False),
    "worker paused beyond its session": Kind(_pause_beyond, GRACE_S, repeats=True),
    "broker restarted": Kind(_stop_broker, BACK_S, repeats=True),
    "broker killed": Kind(_kill_broker, BACK_S, repeats=True),
    "worker's network cut": Kind(_cut, BACK_S, repeats=True),
    "poison": Kind(_poison, GRACE_S, repeats=False),
}


def _victim(arena: Arena, drawn: random.Random, what: str) -> tuple[int, Injury]:
    """(slot of a worker, what is about to be done to it)."""
    partitions = arena.whole()
    slot = drawn.randrange(WORKERS)
    return slot, Injury(time.time(), frozenset(partitions[arena.workers[slot].name]), what)


def _over(injury: Injury) -> Injury:
    return Injury(injury.at_s, injury.partitions, injury.what, time.time())
