"""The AsyncAPI 3.0 document: topics, records, and who sends or receives what."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from framelane.contract_docs.header_table import text
from framelane.contract_docs.messages import BINDING, messages
from framelane.gateway.routes import REPLIES, REQUESTS
from streams.contract import topics
from streams.contract.kafka_settings import PARTITIONER

# Grows in its second place where something is added; docs/contract.md.
CONTRACT_VERSION = "1.3.0"
_REFUSED = "What fails comes as a dead letter of the same name."
_SETTLED = "The settings are those of `framelane topics create`; a key's murmur2 settles the partition."
_ABOUT = """\
Cameras publish frames to Kafka, workers process them in consumer groups, and anyone subscribes to the result.
Records are CloudEvents in binary mode: the value is the plain image or JSON, all else is in headers, as UTF-8 text.
Delivery is at-least-once: whoever sees a name (`ce_source` and `ce_id`) twice drops the second.
Topics may have other names; these are the defaults.
A `send` is what the role in its tags does, a `receive` likewise.
How the contract may evolve: docs/contract.md."""


def asyncapi() -> dict[str, Any]:
    """The document; it refers to the schemas as files beside it, in `schemas/`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Framelane",
            "version": CONTRACT_VERSION,
            "description": " ".join(_ABOUT.split()),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "Your own Kafka: plain, TLS, mTLS or SASL over TLS.",
                "variables": {"bootstrap": {"default": "localhost:9092", "description": "Its bootstrap address."}},
            }
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": messages()},
    }


def _channels() -> dict[str, Any]:
    return {
        "raw": _channel(topics.RAW, "Frames as the cameras gave them.", "frame", "redrivenFrame"),
        "processed": _channel(topics.PROCESSED, "Frames that a pipeline has made of others.", "processedFrame"),
        "events": _channel(topics.EVENTS, "What operators found in frames.", "event"),
        "deadLetters": _channel(
            topics.DEAD_LETTER,
            "Frames that could not be processed, as they came, and marks of what became of them.",
            "deadLetter",
            "mark",
        ),
        "status": _channel(
            topics.STATUS, "How each part is doing: every two seconds. Compacted: the last report stays.", "status"
        ),
        "requests": _channel(REQUESTS, "Images that the gateway asks to be processed.", "request"),
        "replies": _channel(REPLIES, "What has become of them.", "processedFrame"),
    }


def _channel(topic: str, description: str, *names: str) -> dict[str, Any]:
    spec = topics.spec_for(topic)
    settings: dict[str, Any] = {key: int(value) if value.isdecimal() else value for key, value in spec.config().items()}
    settings["cleanup.policy"] = [settings["cleanup.policy"]]
    kafka = {"topic": topic, "partitions": spec.partitions, "topicConfiguration": settings}
    rule = {"x-partitioner": PARTITIONER}
    return {
        "address": topic,
        "description": f"{description} {_SETTLED}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": kafka | rule | BINDING},
    }


def _operations() -> dict[str, Any]:
    group = text("`framelane.<pipeline>`, unless the pipeline says otherwise.")
    bindings = {"bindings": {"kafka": {"groupId": group} | BINDING}}
    answers = {"reply": {"channel": _channel_ref("replies"), "messages": [_message_ref("replies", "processedFrame")]}}
    send, receive = partial(_operation, "send"), partial(_operation, "receive")
    worker, subscriber = ("worker",), ("subscriber",)
    return {
        "publishFrame": send("raw", "frame", ("producer",), "A camera publishes what it sees."),
        "processFrame": receive("raw", "frame", worker, "A pipeline takes frames.") | bindings,
        "publishProcessedFrame": send("processed", "processedFrame", worker, "A pipeline publishes what it made."),
        "publishEvent": send("events", "event", worker, "A pipeline publishes what it found."),
        "publishDeadLetter": send("deadLetters", "deadLetter", worker, "A pipeline puts away a frame that failed."),
        "report": send("status", "status", ("producer", "worker", "gateway"), "Each part tells how it is doing."),
        "watchFrames": receive("processed", "processedFrame", subscriber, "Anyone reads processed frames."),
        "watchRawFrames": receive("raw", "frame", subscriber, "Anyone reads frames as they came."),
        "watchEvents": receive("events", "event", subscriber, "Anyone reads what was found."),
        "watchDeadLetters": receive("deadLetters", "deadLetter", subscriber, "Anyone reads what failed, and why."),
        "watchStatus": receive("status", "status", subscriber, "`framelane status` reads the reports."),
        "redriveFrame": send("raw", "redrivenFrame", ("redrive",), "Sends the frame of a dead letter through again."),
        "processRedrivenFrame": receive("raw", "redrivenFrame", worker, "The pipeline that failed takes it.")
        | bindings,
        "markDeadLetter": send("deadLetters", "mark", ("redrive", "worker"), "Tells what has become of a dead letter."),
        "askForImage": send("requests", "request", ("gateway",), f"Asks for one image. {_REFUSED}") | answers,
        "answer": receive("requests", "request", worker, f"A pipeline takes a request and replies. {_REFUSED}")
        | answers,
    }


def _operation(action: str, channel: str, message: str, roles: Sequence[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": _channel_ref(channel),
        "messages": [_message_ref(channel, message)],
        "summary": summary,
        "tags": [{"name": role} for role in roles],
    }


def _channel_ref(channel: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{channel}"}


def _message_ref(channel: str, message: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{channel}/messages/{message}"}
