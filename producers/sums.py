"""The sums of one camera, which close: captured = produced + dropped (by reason) + in flight."""

import threading
from collections import deque
from collections.abc import Callable

from streams.contract.histogram import AGE_BOUNDS_S, Histogram
from streams.contract.status import ASKED_FOR, CameraSums

AGE_WINDOW_NS = 10 * 1_000_000_000


class Sums:
    """Counts what became of each picture; used by the publishing thread and by the one that hears of deliveries."""

    def __init__(self, *, clock: Callable[[], int]) -> None:
        """clock: ns since 1970."""
        self._clock = clock
        self._lock = threading.Lock()
        self._captured = self._produced = self._fitted = self._reconnects = self._bytes_out = 0
        self._age = Histogram(AGE_BOUNDS_S)
        self._dropped: dict[str, int] = {}
        self._ages: deque[tuple[int, int]] = deque()

    def captured(self) -> None:
        """A picture came from the camera."""
        with self._lock:
            self._captured += 1

    def dropped(self, reason: str) -> None:
        """One of the captured pictures is given up."""
        with self._lock:
            self._dropped[reason] = self._dropped.get(reason, 0) + 1

    def fitted(self) -> None:
        """One of the captured pictures was made smaller, so that its topic takes it."""
        with self._lock:
            self._fitted += 1

    def reconnected(self) -> None:
        """The camera's source was opened again."""
        with self._lock:
            self._reconnects += 1

    def produced(self, captured_at_ns: int, *, size: int = 0) -> None:
        """The broker has one of the captured pictures. size: of what it got, in bytes."""
        now = self._clock()
        with self._lock:
            self._produced += 1
            self._bytes_out += size
            self._age.observe(max(0, now - captured_at_ns) / 1_000_000_000)
            self._ages.append((now, now - captured_at_ns))
            self._forget(now)

    @property
    def lost(self) -> dict[str, int]:
        """What was dropped without being asked to, by reason."""
        with self._lock:
            return {reason: count for reason, count in self._dropped.items() if reason not in ASKED_FOR}

    def age_histogram(self) -> Histogram:
        """From capture to delivered, since the start; a copy."""
        copy = Histogram(AGE_BOUNDS_S)
        with self._lock:
            copy.merge(self._age)
        return copy

    def snapshot(self) -> CameraSums:
        """The sums as they stand; ages in ms over the last ten seconds."""
        with self._lock:
            self._forget(self._clock())
            ages = sorted(age for _, age in self._ages)
            return CameraSums(
                captured=self._captured,
                produced=self._produced,
                dropped=dict(self._dropped),
                fitted=self._fitted,
                reconnects=self._reconnects,
                bytes_out=self._bytes_out,
                age_p50_ms=_quantile_ms(ages, 0.50),
                age_p99_ms=_quantile_ms(ages, 0.99),
            )

    def _forget(self, now: int) -> None:
        while self._ages and self._ages[0][0] < now - AGE_WINDOW_NS:
            self._ages.popleft()


def _quantile_ms(ordered_ns: list[int], share: float) -> float | None:
    if not ordered_ns:
        return None
    return round(ordered_ns[min(len(ordered_ns) - 1, int(share * len(ordered_ns)))] / 1_000_000, 3)
