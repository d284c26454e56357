"""An exchange without Kafka: answers by rule, for tests of what lies between a client and it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from prometheus_client import CollectorRegistry

from framelane.gateway.answers import Reply, Route, Unanswered
from framelane.gateway.exchange import Exchange
from framelane.gateway.service import GatewayLimits, Service, new_service

ROUTE = Route(name="echo", requests="q", replies="r", dead_letter="d")
Rule = Callable[[bytes], Awaitable[bytes]]


class EchoExchange:
    """Answers what the rule says: bytes, or Unanswered for none."""

    def __init__(self, rule: Rule, *, timeout_s: float = 5.0) -> None:
        self._rule, self.timeout_s = rule, timeout_s
        self.under_way = self.most = 0
        self.pipeline = "echo@12345678"
        self.asked: list[bytes] = []

    async def ask(self, data: bytes, route: Route, *, traceparent: str = "") -> Reply:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.asked.append(data)
        try:
            answer = await self._rule(data)
        finally:
            self.under_way -= 1
        return Reply(
            name=f"echo-0/e1/{len(self.asked)}",
            data=answer,
            content_type="image/jpeg",
            pipeline=self.pipeline,
            captured_at_ns=1_000_000,
            hops={"received": 2_000_000, "started": 4_000_000, "processed": 9_000_000},
        )


async def echo(data: bytes) -> bytes:
    """What was asked, a little later."""
    await asyncio.sleep(0)
    if data.startswith(b"bad"):
        raise Unanswered("undecodable at decode: it is bad", failure="undecodable", name="echo-0/e1/0")
    return data


def echo_service(
    limits: GatewayLimits | None = None, rule: Rule = echo, *, timeout_s: float = 5.0
) -> tuple[Service, EchoExchange]:
    """A service in front of it."""
    exchange = EchoExchange(rule, timeout_s=timeout_s)
    return new_service(cast(Exchange, exchange), limits or GatewayLimits(), CollectorRegistry()), exchange


async def until(reached: Callable[[], object]) -> None:
    """Wait until it is so."""
    while not reached():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.005)
