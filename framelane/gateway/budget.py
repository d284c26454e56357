"""What may be in hand at the same time: whoever wants more waits, and with it the client's connection."""

import asyncio

LARGEST = 7 / 8
PATIENCE_S = 5.0
_SMALL = 1 / 64


class Budget:
    """So many requests, and so many bytes of them. For one event loop.

    Who asks first is served first, but for what is too large just now: it lets smaller ones pass. An eighth of the
    bytes is for small requests alone, so that large images which come slowly, or not at all, do not hold up everybody.
    Nobody is passed for longer than PATIENCE_S.
    """

    def __init__(self, *, requests: int, size: int) -> None:
        """size: bytes; no single request may ask for more than `LARGEST` of it."""
        self._most_requests, self._most_size = requests, size
        self.requests = self.size = 0
        # How much each wants, and from when on nobody may pass it.
        self._waiting: dict[asyncio.Future[None], tuple[int, float]] = {}

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._waiting)

    async def take(self, size: int) -> None:
        """Return when there is room for a request of so many bytes, which then is its own until `give`."""
        if self._fits(size) and not self._somebody_is_overdue():
            self._add(size)
            return
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[None] = loop.create_future()
        self._waiting[granted] = (size, loop.time() + PATIENCE_S)
        try:
            await granted
        except asyncio.CancelledError:
            if self._waiting.pop(granted, None) is None:
                # Granted and cancelled in the same moment.
                self.give(size)
            raise

    def grow(self, size: int) -> None:
        """A request in hand has become larger by so many bytes: they are there, so nobody is asked."""
        self.size += size

    def give(self, size: int) -> None:
        """Return what `take` and `grow` gave to one request."""
        self.requests -= 1
        self.size -= size
        for granted, (wanted, patient_until) in list(self._waiting.items()):
            if self.requests >= self._most_requests:
                return
            # One that is being cancelled takes itself out.
            if granted.done():
                continue
            if self._fits(wanted):
                del self._waiting[granted]
                self._add(wanted)
                granted.set_result(None)
            elif self._now() > patient_until:
                return

    def _somebody_is_overdue(self) -> bool:
        return any(self._now() > patient_until for _, patient_until in self._waiting.values())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _fits(self, size: int) -> bool:
        most = self._most_size if size <= self._most_size * _SMALL else self._most_size * LARGEST
        return self.requests < self._most_requests and self.size + size <= most

    def _add(self, size: int) -> None:
        self.requests += 1
        self.size += size
