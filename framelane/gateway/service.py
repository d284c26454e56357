"""What both protocols share: the exchange, what may be in hand, and the counts of what was asked."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from framelane.gateway.answers import Reply, Route, Unanswered
from framelane.gateway.budget import Budget
from framelane.gateway.exchange import Exchange

log = logging.getLogger(__name__)

Protocol = Literal["int32", "http"]
MIB = 1024 * 1024
_NO_LIMIT = 1 << 60
_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """What clients may do.

    max_request: bytes of one image. max_reply: bytes of a reply over TCP, larger ones are encoded again; 0 is no limit.
    queue: requests that wait for their reply at the same time, of all clients; each: those in hand of one TCP
    connection. size: bytes in hand of all clients, from the announcement of an image until its reply has gone.
    idle_s: how long a connection may say nothing. transfer_s: how long one image may take to come, or to go.
    """

    max_request: int = 10 * MIB
    max_reply: int = 99_999
    queue: int = 256
    each: int = 64
    size: int = 256 * MIB
    idle_s: float = 300.0
    transfer_s: float = 30.0


class GatewayMetrics:
    """Counts and times, by Prometheus' names."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "framelane_gateway_answers",
            "Requests that were answered; outcome: ok, or why there is no image.",
            ["protocol", "pipeline", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "framelane_gateway_answer_seconds",
            "From the image having come to its reply.",
            ["protocol", "pipeline"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.connections = Gauge("framelane_gateway_connections", "Open TCP connections.", registry=registry)
        self.refused = Counter(
            "framelane_gateway_refused_connections",
            "TCP connections that the gateway has ended; reason: too_large, idle, half_sent, not_read.",
            ["reason"],
            registry=registry,
        )
        self.refitted = Counter(
            "framelane_gateway_refitted_replies",
            "Replies that were encoded again to fit into --max-reply.",
            registry=registry,
        )
        self._registry = registry

    def watch(self, exchange: Exchange, budget: Budget) -> None:
        """Tell what these have in hand as well."""
        gauges = (
            ("framelane_gateway_requests_under_way", "Requests that wait for their reply.", lambda: exchange.under_way),
            ("framelane_gateway_bytes_in_hand", "Bytes in hand.", lambda: budget.size),
            (
                "framelane_gateway_clients_waiting",
                "Clients that are not read from, for want of room.",
                lambda: budget.waiting,
            ),
        )
        for name, text, read in gauges:
            Gauge(name, text, registry=self._registry).set_function(read)

    def answered(self, protocol: Protocol, pipeline: str, outcome: str, *, took_s: float) -> None:
        """A request has come to its end."""
        self._answers.labels(protocol, pipeline, outcome).inc()
        self._seconds.labels(protocol, pipeline).observe(took_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One gateway's parts, for the servers of both protocols."""

    exchange: Exchange
    limits: GatewayLimits
    metrics: GatewayMetrics
    # Bytes in hand.
    budget: Budget
    # Places in the queue to the workers.
    places: asyncio.Semaphore

    async def ask(self, data: bytes, route: Route, *, protocol: Protocol, client: str, traceparent: str = "") -> Reply:
        """As `Exchange.ask`, counted, and told in the log where it fails."""
        started = time.monotonic()
        outcome = "gone"
        try:
            await self._place(route)
            try:
                reply = await self.exchange.ask(data, route, traceparent=traceparent)
            finally:
                self.places.release()
            outcome = "ok"
        except Unanswered as error:
            outcome = error.failure
            log.warning("%s of %s, pipeline %s: %s", error.name or "a request", client, route.name, error)
            raise
        finally:
            self.metrics.answered(protocol, route.name, outcome, took_s=time.monotonic() - started)
        return reply

    async def _place(self, route: Route) -> None:
        limit_s = self.exchange.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self.places.acquire()
        except TimeoutError:
            raise Unanswered(
                f"{self.limits.queue} requests wait for workers already (--queue), and none was done within "
                f"{limit_s:g} s: pipeline {route.name} needs more of them",
                failure="unavailable",
            ) from None


def new_service(exchange: Exchange, limits: GatewayLimits, registry: CollectorRegistry) -> Service:
    """Put them together."""
    budget = Budget(requests=_NO_LIMIT, size=limits.size)
    metrics = GatewayMetrics(registry)
    metrics.watch(exchange, budget)
    return Service(
        exchange=exchange, limits=limits, metrics=metrics, budget=budget, places=asyncio.Semaphore(limits.queue)
    )
