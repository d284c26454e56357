"""Metrics and probes on one port: `/metrics`, and what probes there are; of any role.

The server has threads of its own, so that it answers when the event loop does not; and answering asks nobody.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from socketserver import TCPServer

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from streams.contract.errors import SettingError
from streams.contract.histogram import Histogram

log = logging.getLogger(__name__)

# Whoever connects and says nothing is let go.
REQUEST_S = 5.0
Probe = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What there is to see. probes: by path; each says what is wrong, "" when nothing is."""

    registry: CollectorRegistry
    probes: Mapping[str, Probe]


def new_registry() -> CollectorRegistry:
    """A registry that has the process' own metrics: memory, CPU, open files, Python's version."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def add_histogram(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    """Have a family tell of one of ours, in seconds."""
    buckets = [("+Inf" if bound == inf else str(bound), float(count)) for bound, count in histogram.cumulative()]
    family.add_metric(labels, buckets, histogram.total_s)


def serve_pages(pages: Pages, *, host: str, port: int) -> ThreadingHTTPServer:
    """Serve the pages from now on; on another free port when that one is taken, which is logged.

    Close with `shutdown()` and `server_close()`. Raises SettingError when the host is not this machine's.
    """
    try:
        try:
            server = _Server((host, port), pages)
        except OSError as error:
            # Not by the error's number: whatever keeps us from that port, another one may do.
            server = _Server((host, 0), pages)
            log.warning("port %d on %s cannot be had (%s), so metrics and probes take another", port, host, error)
    except OSError as error:
        raise SettingError(f"metrics host {host}: cannot listen there: {error.strerror or error}") from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics and probes on http://%s:%d/metrics, /healthz, /readyz", host, server.server_port)
    return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        self.pages = pages
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not as HTTPServer does, which asks the name service for this machine's name, and may wait for it.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("a reader of the metrics went away", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        pages, path = self.server.pages, self.path.partition("?")[0]
        if path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, encode(pages.registry), content_type)
        elif path in pages.probes:
            wrong = pages.probes[path]()
            status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
            self._answer(status, f"{wrong or 'ok'}\n".encode())
        else:
            there = ", ".join(["/metrics", *pages.probes])
            self._answer(HTTPStatus.NOT_FOUND, f"there are {there}\n".encode())

    do_HEAD = do_GET

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)
