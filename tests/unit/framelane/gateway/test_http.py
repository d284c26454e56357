"""The HTTP side, over real sockets, in front of an exchange that echoes."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import numpy as np
import pytest
from echo_exchange import ROUTE, EchoExchange, Rule, echo, echo_service, until
from openapi_spec_validator import validate
from prometheus_client import CollectorRegistry

from framelane.gateway.answers import Failure, Route, Unanswered
from framelane.gateway.budget import Budget
from framelane.gateway.http import serve_http
from framelane.gateway.openapi import openapi
from framelane.gateway.problems import STATUSES
from framelane.gateway.service import GatewayLimits
from streams.contract.images import encode

OTHER = Route(name="other", requests="q2", replies="r2", dead_letter="d")
ROUTES = {ROUTE.name: ROUTE, OTHER.name: OTHER}


def image() -> bytes:
    return encode(np.full((48, 64, 3), 90, np.uint8))


class Served:
    def __init__(self, session: aiohttp.ClientSession, url: str, exchange: EchoExchange, budget: Budget) -> None:
        self.session, self.url, self.exchange, self.budget = session, url, exchange, budget

    async def post(self, data: Any, query: str = "", **more: Any) -> tuple[int, Any, "aiohttp.ClientResponse"]:
        """Status, body (a problem as JSON), response."""
        async with self.session.post(f"{self.url}/process{query}", data=data, **more) as response:
            body = await response.read()
            if response.content_type == "application/problem+json":
                problem = json.loads(body)
                assert problem["status"] == response.status
                return response.status, problem, response
            return response.status, body, response


@asynccontextmanager
async def served(
    limits: GatewayLimits | None = None, rule: Rule = echo, *, timeout_s: float = 5.0
) -> AsyncIterator[Served]:
    service, exchange = echo_service(limits, rule, timeout_s=timeout_s)
    runner = await serve_http(service, ROUTES, CollectorRegistry(), host="127.0.0.1", port=0)
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as session:
            yield Served(session, f"http://{host}:{port}", exchange, service.budget)
    finally:
        await runner.cleanup()
    assert (service.budget.size, service.budget.requests, service.budget.waiting) == (0, 0, 0)


def run(case: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(case, 30))


def test_an_image_comes_back_with_its_identity_and_times() -> None:
    async def case() -> None:
        async with served() as gateway:
            status, body, response = await gateway.post(image())
            assert (status, body) == (200, image())
            assert response.content_type == "image/jpeg"
            assert response.headers["Framelane-Frame"] == "echo-0/e1/1"
            assert response.headers["Framelane-Pipeline"] == "echo@12345678"
            assert response.headers["Server-Timing"] == "to-worker;dur=1.0, queue;dur=2.0, process;dur=5.0"

    run(case())


def test_the_query_chooses_the_pipeline() -> None:
    async def case() -> None:
        async with served() as gateway:
            assert (await gateway.post(image(), "?pipeline=other"))[0] == 200
            status, problem, _ = await gateway.post(image(), "?pipeline=none")
            assert (status, problem["reason"]) == (400, "bad_headers")
            assert "there are echo, other" in problem["detail"]
            status, problem, _ = await gateway.post(image(), "?pipelin=other")
            assert status == 400
            assert "'pipelin' is unknown" in problem["detail"]

    run(case())


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", 400, "empty"),
        (b"GIF89a, and no JPEG", 415, "not_an_image"),
        (b"\xff\xd8\xff\xe0 damaged", 422, "undecodable"),
        (image() + b"x" * 5000, 413, "too_large"),
    ],
)
def test_what_is_wrong_at_first_sight_is_told_without_a_worker(data: bytes, status: int, reason: str) -> None:
    async def case() -> None:
        async with served(GatewayLimits(max_request=4000)) as gateway:
            found, problem, _ = await gateway.post(data)
            assert (found, problem["reason"]) == (status, reason)
            assert gateway.exchange.asked == []

    run(case())


def test_a_body_without_a_length_is_cut_at_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000

    async def case() -> None:
        async with served(GatewayLimits(max_request=100_000)) as gateway:
            try:
                status, problem, _ = await gateway.post(endless())
            except aiohttp.ClientError:
                # It may find the connection closed before it has read the answer.
                return
            assert (status, problem["reason"]) == (413, "too_large")

    run(case())


def test_a_compressed_body_is_not_unpacked() -> None:
    async def case() -> None:
        async with served(GatewayLimits(max_request=100_000)) as gateway:
            packed = gzip.compress(b"\xff\xd8\xff" + bytes(5_000_000))
            for data in (packed, b"no gzip at all"):
                status, problem, _ = await gateway.post(data, headers={"Content-Encoding": "gzip"})
                assert (status, problem["reason"]) == (415, "not_an_image")

    run(case())


def test_a_client_that_never_reads_is_cut_off_and_its_reply_is_in_hand_until_then() -> None:
    async def large(_: bytes) -> bytes:
        return b"x" * 20_000_000

    async def case() -> None:
        async with served(GatewayLimits(transfer_s=0.3), large) as gateway:
            host, port = gateway.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
            body = image()
            writer.write(b"POST /process HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await until(lambda: gateway.budget.size >= 20_000_000)
            await until(lambda: not gateway.budget.size)
            got = 0
            with suppress(ConnectionError):
                while part := await reader.read(1 << 20):
                    got += len(part)
            assert got < 20_000_000
            writer.close()

    run(case())


def test_a_client_that_has_gone_leaves_its_place() -> None:
    free = asyncio.Event()

    async def stuck(data: bytes) -> bytes:
        await free.wait()
        return data

    async def case() -> None:
        async with served(rule=stuck) as gateway:
            host, port = gateway.url.removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            body = image()
            writer.write(b"POST /process HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await until(lambda: gateway.exchange.under_way)
            writer.transport.abort()
            await until(lambda: not gateway.exchange.under_way)

    run(case())


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ("too_many_pixels", 413),
        ("undecodable", 422),
        ("operator_error", 422),
        ("operator_timeout", 504),
        ("no_reply", 504),
        ("unavailable", 503),
    ],
)
def test_why_there_is_no_reply_decides_on_the_status(failure: Failure, status: int) -> None:
    async def fail(_: bytes) -> bytes:
        raise Unanswered("it went wrong", failure=failure, name="echo-0/e1/0")

    async def case() -> None:
        async with served(rule=fail) as gateway:
            found, problem, response = await gateway.post(image())
            assert found == status
            assert (problem["reason"], problem["detail"]) == (failure, "it went wrong")
            assert problem["instance"] == "/frames/echo-0/e1/0"
            assert ("Retry-After" in response.headers) == (status == 503)

    run(case())


def test_a_queue_that_is_full_says_so() -> None:
    free = asyncio.Event()

    async def stuck(data: bytes) -> bytes:
        await free.wait()
        return data

    async def case() -> None:
        async with served(GatewayLimits(queue=1), stuck, timeout_s=0.2) as gateway:
            first = asyncio.create_task(gateway.post(image()))
            await until(lambda: gateway.exchange.under_way)
            status, problem, _ = await gateway.post(image())
            assert (status, problem["reason"]) == (503, "unavailable")
            assert "--queue" in problem["detail"]
            free.set()
            assert (await first)[0] == 200

    run(case())


def test_metrics_and_probe_are_beside_it() -> None:
    async def case() -> None:
        async with served() as gateway:
            for path, text in (("/healthz", "ok"), ("/metrics", "")):
                async with gateway.session.get(gateway.url + path) as response:
                    assert response.status == 200
                    assert text in await response.text()

    run(case())


def test_the_document_is_openapi_and_tells_every_status() -> None:
    document = openapi(ROUTES)
    validate(document)  # type: ignore[arg-type]
    responses = document["paths"]["/process"]["post"]["responses"]
    assert set(responses) == {"200", *map(str, STATUSES)}
    assert {"400", "413", "415", "422", "503", "504"} <= set(responses)
    assert document["paths"]["/process"]["post"]["parameters"][0]["schema"]["enum"] == ["echo", "other"]
