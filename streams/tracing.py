"""Frames as OpenTelemetry spans: one for each frame, and below it one for each stage.

Faust's own bridge (faust.contrib.opentelemetry) does not serve here: its span lasts as long as the agent's body holds
an event, and ours hands it on at once, to a thread that no context reaches; and it writes no traceparent. So spans are
made when a frame has come to its end, out of the times that were taken anyway.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from streams.contract.headers import Record
from streams.contract.topics import RAW
from streams.contract.traceparent import TraceParent, parse_traceparent

CLOSE_S = 3.0
SAID_EVERY_S = 60.0
# They say every few seconds that the collector is away, or slower than the frames.
_CHATTY = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")


def to_collector(environ: Mapping[str, str], *, group: str, input_topic: str = RAW) -> "SpanTracing":
    """Tracing to where OpenTelemetry's environment says, by OTLP over HTTP. group: the pipeline's consumer group."""
    about = {
        "service.version": version("framelane"),
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
    }
    if not environ.get("OTEL_SERVICE_NAME") and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        about["service.name"] = "framelane-worker"
    # The process ends without Python's own exit handlers, and closes it by itself.
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    for name in _CHATTY:
        logging.getLogger(name).addFilter(Seldom())
    return SpanTracing(provider, group=group, input_topic=input_topic)


class Seldom(logging.Filter):
    """Lets one line through in a minute. clock: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._next = clock, 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is said."""
        if self._clock() < self._next:
            return False
        self._next = self._clock() + SAID_EVERY_S
        return True


class SpanTracing:
    """Makes the spans of frames. Names and attributes are those of OpenTelemetry's conventions for messaging."""

    def __init__(self, provider: TracerProvider, *, group: str, input_topic: str = RAW) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("framelane")
        self._name = f"process {input_topic}"
        self._about = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
        }

    def begin(self, record: Record, *, received_ns: int, pipeline: str) -> "FrameSpan":
        """A span for a frame that was taken in at that time, ns since 1970; its parent is the record's traceparent."""
        span = self._tracer.start_span(
            self._name,
            context=_parent_of(record),
            kind=SpanKind.CONSUMER,
            start_time=received_ns,
            attributes=self._about,
        )
        if span.is_recording():
            span.set_attributes(
                {
                    "messaging.destination.name": record.topic,
                    "messaging.destination.partition.id": str(record.partition),
                    "messaging.kafka.offset": record.offset,
                    "messaging.kafka.message.key": (record.key or b"").decode(errors="replace")[:128],
                    "framelane.pipeline": pipeline,
                }
            )
        return FrameSpan(span, self._tracer, received_ns=received_ns)

    def close(self) -> None:
        """Hand over what is left; a collector that does not answer is given up after three seconds."""
        # The exporter itself waits for longer than a worker that stops should.
        closing = threading.Thread(target=self._provider.shutdown, name="tracing", daemon=True)
        closing.start()
        closing.join(CLOSE_S)


class FrameSpan:
    """One frame's span. begun_ns, ready_ns: set by who runs the frame, ns since 1970; 0 when that did not happen."""

    __slots__ = ("_received_ns", "_span", "_tracer", "begun_ns", "ready_ns")

    def __init__(self, span: Span, tracer: Tracer, *, received_ns: int) -> None:
        self._span, self._tracer, self._received_ns = span, tracer, received_ns
        self.begun_ns = self.ready_ns = 0

    @property
    def traceparent(self) -> str:
        """Names this span, for what is made of the frame."""
        own = self._span.get_span_context()
        return str(TraceParent(own.trace_id, own.span_id, int(own.trace_flags)))

    def ended(self, fate: str, *, failed: bool, seconds: Mapping[str, float]) -> None:
        """The broker has all that was made of the frame: its span ends, and those of its stages are told of."""
        if not self._span.is_recording():
            return
        now_ns = time.time_ns()
        context = set_span_in_context(self._span)
        if self.begun_ns:
            self._stage("queue", self._received_ns, self.begun_ns, context)
        at_ns = self.begun_ns
        for stage, took_s in seconds.items():
            end_ns = at_ns + round(took_s * 1e9)
            self._stage(stage, at_ns, end_ns, context)
            at_ns = end_ns
        if self.ready_ns:
            self._stage("publish", self.ready_ns, now_ns, context)
        self._span.set_attribute("framelane.outcome", "dead_lettered" if failed else fate)
        if failed:
            self._span.set_attribute("error.type", fate)
            self._span.set_status(Status(StatusCode.ERROR, fate))
        self._span.end(now_ns)

    def _stage(self, name: str, start_ns: int, end_ns: int, context: Context) -> None:
        self._tracer.start_span(name, context=context, start_time=start_ns).end(max(start_ns, end_ns))


def _parent_of(record: Record) -> Context:
    """The context that the record's traceparent names; an empty one, so a new trace, when there is no sound one."""
    for name, value in record.headers:
        if name == "traceparent" and value:
            parent = parse_traceparent(value.decode(errors="replace"))
            if parent is not None:
                remote = SpanContext(
                    parent.trace_id, parent.span_id, is_remote=True, trace_flags=TraceFlags(parent.flags)
                )
                return set_span_in_context(NonRecordingSpan(remote), Context())
    return Context()
