"""`POST /process`: an image as the body, the processed image as the answer; metrics, a probe, and OpenAPI beside it."""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from framelane.gateway.answers import Reply, Route, Unanswered
from framelane.gateway.openapi import openapi
from framelane.gateway.problems import problem
from framelane.gateway.service import Service
from streams.contract.errors import FrameError
from streams.contract.images import inspect
from streams.contract.traceparent import sound_traceparent

log = logging.getLogger(__name__)

_CHUNK = 64 * 1024
# From one hop to the next, in the words of Server-Timing.
_LEGS = (("to-worker", "captured", "received"), ("queue", "received", "started"), ("process", "started", "processed"))


async def serve_http(
    service: Service, routes: Mapping[str, Route], registry: CollectorRegistry, *, host: str, port: int
) -> web.AppRunner:
    """Listen until `cleanup()` is called; OSError where that cannot be. routes: the first is the default."""
    app = web.Application()
    pages = _Pages(service, routes, registry)
    app.router.add_post("/process", pages.process)
    app.router.add_get("/openapi.json", pages.openapi)
    app.router.add_get("/healthz", pages.health)
    app.router.add_get("/metrics", pages.metrics)
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=service.limits.idle_s,
        shutdown_timeout=service.exchange.timeout_s,
        # A few bytes could become more than all that may be in hand; compressed images are refused as what they are.
        auto_decompress=False,
        # Who has gone must not keep a place in the queue.
        handler_cancellation=True,
    )
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=1024).start()
    return runner


class _Pages:
    def __init__(self, service: Service, routes: Mapping[str, Route], registry: CollectorRegistry) -> None:
        self._service, self._routes, self._registry = service, routes, registry
        self._default = next(iter(routes))

    async def process(self, request: web.Request) -> web.Response:
        """Have the body processed."""
        unknown = sorted(set(request.query) - {"pipeline"})
        if unknown:
            return problem("bad_headers", f"query parameter {unknown[0]!r} is unknown; there is pipeline")
        wanted = request.query.get("pipeline", self._default)
        route = self._routes.get(wanted)
        if route is None:
            return problem("bad_headers", f"pipeline {wanted!r} is unknown; there are {', '.join(self._routes)}")
        budget = self._service.budget
        most = self._service.limits.max_request
        size = request.content_length if request.content_length is not None else most
        if size > most:
            return self._too_large(request)
        try:
            async with asyncio.timeout(self._service.exchange.timeout_s):
                room = await budget.take(size)
        except TimeoutError:
            return problem("unavailable", "the gateway has its hands full with images of other clients")
        try:
            response = await self._answer(request, route)
            room.grow(max(0, len(response.body or b"") - room.size))  # type: ignore[arg-type]
            # Here, and not after it: what has not gone is in hand.
            return await self._sent(request, response)
        finally:
            room.give()

    async def _sent(self, request: web.Request, response: web.Response) -> web.Response:
        """The response, once the client has taken it; one that takes nothing of it is cut off."""
        transport = request.transport
        if transport is None:
            return response
        transport.set_write_buffer_limits(high=0)
        try:
            async with asyncio.timeout(self._service.limits.transfer_s):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            log.warning("the connection of %s is closed: it took nothing of its reply", request.remote)
            self._service.metrics.refused.labels("not_read").inc()
            transport.abort()
        return response

    async def _answer(self, request: web.Request, route: Route) -> web.Response:
        client = request.remote or "a client"
        try:
            data = await self._body(request)
            # What is wrong with it at first sight is told at once; the rest only a worker finds.
            inspect(data, max_bytes=self._service.limits.max_request, max_pixels=route.max_pixels)
            traceparent = sound_traceparent(request.headers.get("traceparent", ""))
            reply = await self._service.ask(data, route, protocol="http", client=client, traceparent=traceparent)
        except FrameError as error:
            log.warning("a request of %s: %s: %s", client, error.reason, error)
            self._service.metrics.answered("http", route.name, error.reason, took_s=0.0)
            return problem(error.reason, str(error))
        except Unanswered as error:
            return problem(error.failure, str(error), name=error.name)
        return web.Response(body=reply.data, content_type=reply.content_type, headers=_told(reply))

    async def _body(self, request: web.Request) -> bytes:
        limits, parts, size = self._service.limits, [], 0
        most = limits.max_request
        try:
            async with asyncio.timeout(limits.transfer_s):
                async for part in request.content.iter_chunked(_CHUNK):
                    parts.append(part)
                    size += len(part)
                    if size > most:
                        raise FrameError(_limit(most), reason="too_large", stage="gate")
        except TimeoutError:
            told = f"only {size} bytes came within {limits.transfer_s:g} s"
            raise FrameError(told, reason="empty", stage="gate") from None
        except web.RequestPayloadError as error:
            raise FrameError(f"the body cannot be read: {error}", reason="empty", stage="gate") from error
        return b"".join(parts)

    def _too_large(self, request: web.Request) -> web.Response:
        response = problem("too_large", _limit(self._service.limits.max_request))
        # Its body is not read, so nothing else can come on this connection.
        response.force_close()
        return response

    async def openapi(self, _: web.Request) -> web.Response:
        """What there is, for programs."""
        return web.json_response(openapi(self._routes))

    async def health(self, _: web.Request) -> web.Response:
        """The gateway runs; whether workers do, only a request tells."""
        return web.Response(text="ok\n")

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' page."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})


def _limit(most: int) -> str:
    return f"the image is larger than {most} bytes (--max-request)"


def _told(reply: Reply) -> dict[str, str]:
    """Identity and timings as headers; times in milliseconds, as Server-Timing has it."""
    at = {"captured": reply.captured_at_ns, **reply.hops}
    legs = [
        f"{leg};dur={max(0, at[end] - at[begin]) / 1e6:.1f}" for leg, begin, end in _LEGS if begin in at and end in at
    ]
    return {
        "Framelane-Frame": reply.name,
        "Framelane-Pipeline": reply.pipeline,
        "Server-Timing": ", ".join(legs),
    }
