"""How new what each of some clients has got is, told by their threads and waited for in another."""

import threading
import time
from collections.abc import Hashable, Iterable


class Newest:
    """Of each of these clients the time of the newest thing that it has got; s since 1970."""

    def __init__(self, clients: Iterable[Hashable]) -> None:
        self._times = dict.fromkeys(clients, 0.0)
        self._changed = threading.Condition()

    def tell(self, client: Hashable, at_s: float) -> None:
        """A client has got something of this time."""
        with self._changed:
            self._times[client] = max(at_s, self._times[client])
            self._changed.notify_all()

    def wait_for(self, since_s: float, *, timeout_s: float) -> float:
        """When each client has got something from later than that: s since 1970; infinite where it has not in time."""
        with self._changed:
            reached = self._changed.wait_for(lambda: min(self._times.values(), default=since_s) > since_s, timeout_s)
        return time.time() if reached else float("inf")

    def behind(self, since_s: float) -> list[Hashable]:
        """Those that have got nothing from later than that."""
        with self._changed:
            return [client for client, at_s in self._times.items() if at_s <= since_s]
