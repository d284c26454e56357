"""How long to wait before a source is tried again.

As stamina waits: exponentially, with jitter. It sleeps by itself, though, where nobody can wake it when the camera is
stopped; so what is here only says for how long.
"""

import random
from collections.abc import Iterator

FIRST_S, LONGEST_S = 0.5, 30.0


def delays(*, first_s: float = FIRST_S, longest_s: float = LONGEST_S, rng: random.Random) -> Iterator[float]:
    """Waits in seconds without end: they double up to the longest, each moved by up to a quarter either way.

    The jitter keeps a hundred cameras behind one switch from coming back in the same instant.
    """
    wait = first_s
    while True:
        yield wait * rng.uniform(0.75, 1.25)
        wait = min(wait * 2, longest_s)
