"""A collector of OpenTelemetry traces: OTLP over HTTP, in protobuf, into a list."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class OtlpReceiver:
    """Takes what is posted to /v1/traces on a free port; a context manager.

    spans: what has come. services: the names that the senders gave themselves.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                receiver._take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, format: str, *args: object) -> None:
                """Nobody wants to read it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="otlp")
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "OtlpReceiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, count: int, name: str, *, timeout_s: float = 60) -> list[Span]:
        """Wait until so many spans of that name have come; they are returned."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self._named(name)) >= count, timeout_s)
            assert came, f"only {len(self._named(name))} of {count} spans {name!r} after {timeout_s} s"
            return self._named(name)

    def _named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def _take(self, request: ExportTraceServiceRequest) -> None:
        with self._arrived:
            for each in request.resource_spans:
                about = {pair.key: pair.value.string_value for pair in each.resource.attributes}
                self.services.add(about["service.name"])
                for scope in each.scope_spans:
                    self.spans += scope.spans
            self._arrived.notify_all()
