"""A gateway from start to end: connect, listen, and on a signal finish what is in hand."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from framelane.gateway.answers import Route
from framelane.gateway.beside import worker_beside
from framelane.gateway.exchange import Exchange
from framelane.gateway.http import serve_http
from framelane.gateway.int32 import Int32Server
from framelane.gateway.service import GatewayLimits, Service, new_service
from streams.contract.errors import KafkaError, SettingError
from streams.contract.kafka_settings import KafkaSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """name: of the gateway, and so of its cameras. http_port: 0 is none. A port of -1 is any free one.

    timeout_s: how long a reply is waited for. worker: the command of a worker to be kept running beside it.
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 8000
    http_port: int = 8080
    timeout_s: float = 30.0
    limits: GatewayLimits = field(default_factory=GatewayLimits)
    worker: Sequence[str] = ()


def run_gateway(kafka: KafkaSettings, routes: Sequence[Route], settings: GatewaySettings) -> signal.Signals:
    """Serve until SIGTERM or SIGINT, which is returned; the first route is that of TCP.

    Raises SettingError for a port that cannot be had, KafkaError when the broker does not answer.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Gateway(kafka, routes, settings).run())


class _Gateway:
    def __init__(self, kafka: KafkaSettings, routes: Sequence[Route], settings: GatewaySettings) -> None:
        self._kafka, self._routes, self._settings = kafka, routes, settings
        self._stop = asyncio.Event()
        self._signal = signal.SIGTERM

    async def run(self) -> signal.Signals:
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, self._stopped_by, signum)
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        settings = self._settings
        exchange = Exchange(
            self._kafka, self._routes, name=settings.name, timeout_s=settings.timeout_s, size=settings.limits.size
        )
        service = new_service(exchange, settings.limits, registry)
        await exchange.start()
        try:
            beside = worker_beside(settings.worker, self._routes[0].name, ended=self._stop.set)
            async with beside, self._http(service, registry), self._int32(service):
                ended = [asyncio.create_task(event.wait()) for event in (self._stop, exchange.ended)]
                await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
                for each in ended:
                    each.cancel()
                log.info("ending: %d requests are under way", exchange.under_way)
        finally:
            await exchange.close()
        if exchange.broken:
            raise KafkaError(f"{exchange.broken}; start the gateway again")
        return self._signal

    def _stopped_by(self, signum: signal.Signals) -> None:
        if self._stop.is_set():
            # Whoever asks twice does not want to wait.
            os._exit(130 if signum == signal.SIGINT else 0)
        self._signal = signum
        self._stop.set()

    @asynccontextmanager
    async def _int32(self, service: Service) -> AsyncIterator[None]:
        host, port = self._settings.host, max(0, self._settings.port)
        server = Int32Server(service, self._routes[0])
        with self._told("--port", port):
            found = await server.start(host=host, port=port)
        log.info("images as Int32 strings: %s, pipeline %s", _shown(found), self._routes[0].name)
        try:
            yield
        finally:
            await server.close(limit_s=self._settings.timeout_s)

    @asynccontextmanager
    async def _http(self, service: Service, registry: CollectorRegistry) -> AsyncIterator[None]:
        if not self._settings.http_port:
            yield
            return
        host, port = self._settings.host, max(0, self._settings.http_port)
        with self._told("--http-port", port):
            runner: web.AppRunner = await serve_http(service, service.exchange.routes, registry, host=host, port=port)
        log.info("HTTP: http://%s/process, /metrics, /healthz, /openapi.json", _shown(runner.addresses[0]))
        try:
            yield
        finally:
            await runner.cleanup()

    @contextmanager
    def _told(self, option: str, port: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = f"{self._settings.host}:{port}"
            raise SettingError(
                f"{option}: cannot listen on {where}: {error.strerror or error}; free it, or name another"
            ) from error


def _shown(address: Sequence[object]) -> str:
    host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
    return f"{host}:{address[1]}"
