"""What the view says of itself on `frames.status`."""

import asyncio
import importlib.metadata
import os
import socket
import time
from collections.abc import Sequence

from starlette.routing import BaseRoute

from consumers.view.hub import Live
from consumers.view.places import Places
from consumers.view.settings import ViewSettings
from producers.client import Broker, make_client
from producers.reports import StatusSender
from streams.contract.status import Status, StatusReporter

_FLUSH_S = 1.0


class ViewReport:
    """A Part that reports every two seconds: how many watch, and what."""

    def __init__(self, settings: ViewSettings, live: Live, places: Places, *, address: str) -> None:
        """Raises SettingError when the client refuses its settings."""
        self._settings, self._live, self._places, self._address = settings, live, places, address
        self._started_ns = time.time_ns()
        broker = Broker(settings.kafka.bootstrap)
        self._producer = make_client(settings.kafka, {"client.id": "framelane-view"}, on_error=broker.on_error)
        self._reporter = StatusReporter(StatusSender(self._producer), self._status, topic=settings.status)

    def routes(self) -> Sequence[BaseRoute]:
        """None."""
        return []

    async def start(self) -> None:
        """Begin to report."""
        self._reporter.start()

    async def stop(self) -> None:
        """Report a last time; waits no longer than a second for a broker that is away."""
        await asyncio.to_thread(self._reporter.close)
        await asyncio.to_thread(self._producer.flush, _FLUSH_S)

    def _status(self) -> Status:
        # What was delivered has to be taken in, or the client would count it as under way.
        self._producer.poll(0)
        settings = self._settings
        return Status(
            role="view",
            instance=f"{socket.gethostname()}-{os.getpid()}",
            version=importlib.metadata.version("framelane"),
            started_ns=self._started_ns,
            reported_ns=time.time_ns(),
            state="running",
            settings={
                "address": self._address,
                "clients": self._places.used,
                "raw": settings.raw,
                "processed": settings.processed,
                "events": settings.events,
            },
        )
