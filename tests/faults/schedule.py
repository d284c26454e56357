"""Which fault comes when: at random, and the same each time for a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

GAP_S = (20.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A fault that is to come. at_s: seconds from the start. seed: of what it draws itself, such as its victim."""

    at_s: float
    what: str
    seed: int


def schedule(
    kinds: Sequence[str], *, seed: int, length_s: float, gap_s: tuple[float, float] = GAP_S, rest_s: float = 0.0
) -> list[Planned]:
    """Faults of these kinds, one after the other, the first one a gap after the start.

    gap_s: the least and the most seconds from one to the next. rest_s: none comes in so many seconds before the end.
    All kinds come once before one comes again, in an order of their own each time, so that a short run has many of
    them. The faults of a longer run begin with those of a shorter one.
    """
    drawn = random.Random(seed)
    planned: list[Planned] = []
    waiting: list[str] = []
    at_s = drawn.uniform(*gap_s)
    while kinds and at_s <= length_s - rest_s:
        waiting = waiting or drawn.sample(list(kinds), len(kinds))
        planned.append(Planned(at_s=at_s, what=waiting.pop(0), seed=drawn.getrandbits(32)))
        at_s += drawn.uniform(*gap_s)
    return planned
