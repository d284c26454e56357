"""What the agent asks of whoever fetches frames for it."""

from typing import Protocol

from streams.lanes import Partition


class Fetching(Protocol):
    """What the agent tells the consumer."""

    def hold(self, partition: Partition) -> None:
        """Fetch no more of this partition."""

    def release(self, partition: Partition) -> None:
        """Fetch it again."""
