"""What may be in hand at the same time: whoever wants more waits, and with it the client's connection."""

import asyncio
from dataclasses import dataclass

LARGEST = 7 / 8
PATIENCE_S = 5.0
_SMALL = 1 / 64


@dataclass(eq=False, slots=True)
class Room:
    """What one request has of a budget, until it gives that back."""

    budget: "Budget"
    size: int
    small: bool

    def grow(self, size: int) -> None:
        """The request has become larger by so many bytes: they are there, so nobody is asked."""
        self.size += size
        self.budget.add(size, small=self.small)

    def give(self) -> None:
        """Give all of it back."""
        self.budget.take_back(self)


@dataclass(eq=False, slots=True)
class _Waiting:
    """One who waits: for how many bytes, and from when on nobody may pass it."""

    size: int
    patient_until: float


class Budget:
    """So many requests, and so many bytes of them. For one event loop.

    Who asks first is served first, but for what is too large just now: it lets smaller ones pass, for PATIENCE_S. After
    that nobody takes what it waits for; but an eighth of the bytes is for small requests alone, so that large images
    which come slowly, or not at all, never hold up everybody.
    """

    def __init__(self, *, requests: int, size: int) -> None:
        """size: bytes; no single request may ask for more than `LARGEST` of it."""
        self._most_requests, self._most_size = requests, size
        self.requests = self.size = self._small_size = 0
        self._waiting: dict[asyncio.Future[Room], _Waiting] = {}

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._waiting)

    async def take(self, size: int) -> Room:
        """Return when there is room for a request of so many bytes, which then is its own until given back."""
        if self._fits(size, overdue=self._overdue()):
            return self._made(size)
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[Room] = loop.create_future()
        self._waiting[granted] = _Waiting(size, loop.time() + PATIENCE_S)
        try:
            return await granted
        except asyncio.CancelledError:
            if self._waiting.pop(granted, None) is None:
                # Granted and cancelled in the same moment.
                granted.result().give()
            raise

    def add(self, size: int, *, small: bool) -> None:
        """Count so many bytes more, or fewer, that are in hand."""
        self.size += size
        if small:
            self._small_size += size

    def take_back(self, room: Room) -> None:
        """Count a request as gone, and let in whoever waited for its room."""
        self.requests -= 1
        self.add(-room.size, small=room.small)
        overdue: list[int] = []
        for granted, wanted in list(self._waiting.items()):
            if self.requests >= self._most_requests:
                return
            # One that is being cancelled takes itself out.
            if granted.done():
                continue
            if self._fits(wanted.size, overdue=overdue):
                del self._waiting[granted]
                granted.set_result(self._made(wanted.size))
            elif self._now() > wanted.patient_until:
                overdue.append(wanted.size)

    def _overdue(self) -> list[int]:
        """How much those want whom nobody may pass any more."""
        return [each.size for each in self._waiting.values() if self._now() > each.patient_until]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _is_small(self, size: int) -> bool:
        return size <= self._most_size * _SMALL

    def _fits(self, size: int, *, overdue: list[int]) -> bool:
        if self.requests >= self._most_requests or self.size + size > self._most_size:
            return False
        large_size = self.size - self._small_size
        if not self._is_small(size):
            return not overdue and large_size + size <= self._most_size * LARGEST
        if any(self._is_small(each) for each in overdue):
            return False
        # Those who wait want none of the small ones' own eighth.
        return not overdue or self._small_size + size <= self._most_size * (1 - LARGEST)

    def _made(self, size: int) -> Room:
        small = self._is_small(size)
        self.requests += 1
        self.add(size, small=small)
        return Room(self, size, small)
