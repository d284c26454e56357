"""How many may watch at once."""

from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """A number of places; who comes when all are taken gets none."""

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Take a place for the time of the block; False when there is none."""
        if self.used >= self.most:
            yield False
            return
        self.used += 1
        try:
            yield True
        finally:
            self.used -= 1
