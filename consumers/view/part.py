"""What the application is put together of."""

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import BaseRoute


class Part(Protocol):
    """Some routes, and what has to run for them."""

    def routes(self) -> Sequence[BaseRoute]:
        """Its routes; asked for once."""

    async def start(self) -> None:
        """Called once, in the loop that serves, before the first request."""

    async def stop(self) -> None:
        """Called once, after the last request."""
