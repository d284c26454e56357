"""A real worker that traces its frames: what a collector gets, and what its outputs say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer
from kafka_support import drain
from otlp_receiver import OtlpReceiver
from worker_support import JPEG, Fleet, make_topics

from streams.contract.traceparent import TraceParent, parse_traceparent

TRACE, SPAN = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7


def send(bootstrap: str, topic: str, traceparents: list[str]) -> None:
    """One frame for each, of a camera of its own."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for n, traceparent in enumerate(traceparents):
        producer.produce(topic, key=f"cam-{n}", value=JPEG, headers=[("traceparent", traceparent)])
    assert producer.flush(30) == 0


def traceparents(messages: list[Message]) -> dict[str, TraceParent | None]:
    """By camera; None where there is none, or no sound one."""
    return {
        (message.key() or b"").decode(): parse_traceparent(
            dict(message.headers() or []).get("traceparent", b"").decode()
        )
        for message in messages
    }


def test_spans_reach_a_collector_and_outputs_name_them(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=2)
    sampled = [str(TraceParent(TRACE + n, SPAN + n, 1)) for n in range(5)]
    send(kafka_bootstrap, topics.raw, [*sampled, str(TraceParent(TRACE + 5, SPAN + 5, 0)), "garbage"])
    with OtlpReceiver() as receiver:
        asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_SERVICE_NAME": "yard"}
        with Fleet(kafka_bootstrap, tmp_path, topics, environ=asked) as fleet:
            worker = fleet.start("--op", "flip")
            out = traceparents(drain(kafka_bootstrap, topics.processed, count=7))
            # What is left when a worker stops is handed over then.
            assert worker.stop() == 0
        # The five that are sampled, and the one that begins a trace.
        frames = {
            int.from_bytes(span.span_id): span for span in receiver.wait_for(6, f"process {topics.raw}", timeout_s=5)
        }
    assert receiver.services == {"yard"}
    for n in range(5):
        parent = out[f"cam-{n}"]
        assert parent is not None
        assert (parent.trace_id, parent.flags) == (TRACE + n, 1)
        frame = frames[parent.span_id]
        assert int.from_bytes(frame.trace_id) == TRACE + n
        assert int.from_bytes(frame.parent_span_id) == SPAN + n
        stages = {span.name for span in receiver.spans if span.parent_span_id == frame.span_id}
        assert stages == {"queue", "decode", "0:flip", "encode", "publish"}
    unsampled, new = out["cam-5"], out["cam-6"]
    assert unsampled is not None and new is not None
    assert (unsampled.trace_id, unsampled.flags, unsampled.span_id in frames) == (TRACE + 5, 0, False)
    assert frames[new.span_id].parent_span_id == b""
    assert len(frames) == 6


def test_a_frame_that_hangs_is_an_error_and_one_behind_it_waits_for_its_turn(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    send(kafka_bootstrap, topics.raw, [str(TraceParent(TRACE + n, SPAN + n, 1)) for n in range(2)])
    with OtlpReceiver() as receiver:
        asked = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.endpoint}/v1/traces"}
        with Fleet(kafka_bootstrap, tmp_path, topics, environ=asked) as fleet:
            fleet.start("--op", "trial_operators:Misbehave:camera=cam-0,how=hang")
            frames = receiver.wait_for(2, f"process {topics.raw}")
        hung, behind = (next(each for each in frames if int.from_bytes(each.trace_id) == TRACE + n) for n in range(2))
    assert {each.key: each.value.string_value for each in hung.attributes}["error.type"] == "operator_timeout"
    assert {each.name for each in receiver.spans if each.parent_span_id == hung.span_id} == {"queue"}
    assert behind.status.code == 0
    publish = next(each for each in receiver.spans if (each.name, each.parent_span_id) == ("publish", behind.span_id))
    # It was processed long before, and is published after the one before it in their partition.
    assert publish.end_time_unix_nano - publish.start_time_unix_nano > 1e9
    assert hung.end_time_unix_nano > publish.start_time_unix_nano


@pytest.mark.parametrize("environ", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}], ids=["off", "away"])
def test_frames_flow_whether_nobody_traces_or_the_collector_is_away(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path, environ: dict[str, str]
) -> None:
    topics = make_topics(make_topic, partitions=2)
    given = TraceParent(TRACE, SPAN, 1)
    send(kafka_bootstrap, topics.raw, [str(given), "garbage"])
    with Fleet(kafka_bootstrap, tmp_path, topics, environ=environ) as fleet:
        worker = fleet.start("--op", "flip")
        out = traceparents(drain(kafka_bootstrap, topics.processed, count=2))
        assert worker.stop(timeout_s=20) == 0
    passed = out["cam-0"]
    assert passed is not None
    assert passed.trace_id == TRACE
    # Untraced it is the camera's own; else the frame's span is named, whether anybody hears of it or not.
    assert (passed == given) == (not environ)
    assert (out["cam-1"] is None) == (not environ)
