"""The spans of a frame: whose children they are, how long they last, and what they say."""

import logging
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from streams.contract.headers import Record
from streams.contract.traceparent import SAMPLED, parse_traceparent
from streams.pipeline import Pipeline
from streams.pipeline_settings import quick_pipeline
from streams.processing import Result, process
from streams.tracing import Seldom, SpanTracing

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Iterator[SpanTracing]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = SpanTracing(provider, group="framelane.test", input_topic="raw")
    yield tracing
    tracing.close()


def record(traceparent: str | bytes | None = None, *, value: bytes = JPEG) -> Record:
    given = traceparent.encode() if isinstance(traceparent, str) else traceparent
    return Record("raw", 3, 41, 1000, b"gate-1", value, [("traceparent", given)] if given is not None else [])


def run(record: Record, tracing: SpanTracing | None, *ops: str) -> Result:
    """What the agent does with a frame: begin, process, and end once the broker has it."""
    pipeline = Pipeline(quick_pipeline(ops or ("flip", "grayscale"), input="raw", output="out"))
    received_ns = time.time_ns()
    trace = tracing.begin(record, received_ns=received_ns, pipeline=pipeline.label) if tracing else None
    result = process(record, pipeline.open(), pipeline=pipeline, received_ns=received_ns, trace=trace)
    if trace:
        trace.ended(result.fate, failed=result.is_letter, seconds=result.seconds)
    return result


def output_traceparent(result: Result) -> str:
    return dict(result.records[0].headers).get("traceparent", b"").decode()


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    spans = exporter.get_finished_spans()
    found = {span.name: span for span in spans}
    assert len(found) == len(spans)
    return found


def test_the_frame_is_a_child_of_the_input_and_its_stages_are_children_of_the_frame(
    exporter: InMemorySpanExporter, tracing: SpanTracing
) -> None:
    result = run(record(f"00-{TRACE}-{SPAN}-01"), tracing)
    spans = by_name(exporter)
    assert set(spans) == {"process raw", "queue", "decode", "0:flip", "1:grayscale", "encode", "publish"}
    frame = spans.pop("process raw")
    assert frame.parent is not None
    assert (frame.context.trace_id, frame.parent.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert frame.kind == SpanKind.CONSUMER
    for span in spans.values():
        assert span.parent is not None
        assert (span.context.trace_id, span.parent.span_id) == (int(TRACE, 16), frame.context.span_id)
        assert frame.start_time <= span.start_time <= span.end_time  # type: ignore[operator]
    out = parse_traceparent(output_traceparent(result))
    assert out == (int(TRACE, 16), frame.context.span_id, 1)


def test_the_stages_follow_each_other_and_last_as_long_as_they_were_measured(
    exporter: InMemorySpanExporter, tracing: SpanTracing
) -> None:
    result = run(record(), tracing)
    spans = by_name(exporter)
    stages = [spans[name] for name in ("queue", *result.seconds)]
    assert [span.end_time for span in stages[:-1]] == [span.start_time for span in stages[1:]]
    for name, took_s in result.seconds.items():
        span = spans[name]
        assert span.end_time is not None and span.start_time is not None
        assert span.end_time - span.start_time == round(took_s * 1e9)
    assert spans["publish"].end_time == spans["process raw"].end_time


def test_the_frame_says_what_it_was_and_what_became_of_it(exporter: InMemorySpanExporter, tracing: SpanTracing) -> None:
    run(record(), tracing)
    about = dict(by_name(exporter)["process raw"].attributes or {})
    assert about.pop("framelane.pipeline", "").startswith("quick@")  # type: ignore[union-attr]
    assert about == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "framelane.test",
        "messaging.destination.name": "raw",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 41,
        "messaging.kafka.message.key": "gate-1",
        "framelane.outcome": "processed",
    }


def test_a_dead_letter_is_an_error(exporter: InMemorySpanExporter, tracing: SpanTracing) -> None:
    run(record(value=b"no image"), tracing)
    frame = by_name(exporter)["process raw"]
    assert (frame.status.status_code, frame.status.description) == (StatusCode.ERROR, "not_an_image")
    assert (frame.attributes or {})["error.type"] == "not_an_image"


@pytest.mark.parametrize("traceparent", [None, "garbage", b"\xff\xfe", f"00-{'0' * 32}-{SPAN}-01"])
def test_without_a_sound_traceparent_the_frame_begins_a_trace(
    exporter: InMemorySpanExporter, tracing: SpanTracing, traceparent: str | bytes | None
) -> None:
    result = run(record(traceparent), tracing)
    frame = by_name(exporter)["process raw"]
    assert frame.parent is None
    out = parse_traceparent(output_traceparent(result))
    assert out is not None
    # Its other flag says that the trace's id is random, as the standard's second level has it.
    assert (out.trace_id, out.span_id, out.flags & SAMPLED) == (frame.context.trace_id, frame.context.span_id, SAMPLED)


def test_what_is_not_sampled_is_not_exported_and_stays_unsampled(
    exporter: InMemorySpanExporter, tracing: SpanTracing
) -> None:
    result = run(record(f"00-{TRACE}-{SPAN}-00"), tracing)
    assert exporter.get_finished_spans() == ()
    out = parse_traceparent(output_traceparent(result))
    assert out is not None
    assert (out.trace_id, out.flags) == (int(TRACE, 16), 0)


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01"),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        ("garbage", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_untraced_a_sound_one_passes_unchanged_and_another_is_dropped(given: str | bytes, passed_on: str) -> None:
    result = run(record(given), None)
    assert result.fate == "processed"
    assert output_traceparent(result) == passed_on


def test_a_collector_that_is_away_is_told_of_once_a_minute() -> None:
    now = [0.0]
    seldom = Seldom(clock=lambda: now[0])
    line = logging.LogRecord("x", logging.WARNING, "", 0, "Transient error", None, None)
    passed = []
    for at in (100.0, 101.0, 159.0, 161.0, 162.0):
        now[0] = at
        passed.append(seldom.filter(line))
    assert passed == [True, False, False, True, False]


def test_what_is_found_in_a_frame_names_its_span_too(tracing: SpanTracing) -> None:
    result = run(record(f"00-{TRACE}-{SPAN}-01"), tracing, "odd_operators:Finds")
    of_event, of_frame = (dict(out.headers)["traceparent"] for out in result.records)
    assert of_event == of_frame
