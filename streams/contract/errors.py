"""Every error that Framelane raises on purpose.

FramelaneError                  one root to catch
|-- SettingError                a flag, key or value is wrong (exit code 2)
|-- KafkaError                  something about the broker or a topic
|   |-- BrokerUnavailable       (retriable) nobody answers there
|   |-- TopicMissing            (retriable) the topic does not exist
|   |-- ClientFailed            the client cannot go on: the process has to be started anew
|   |-- TopicMismatch           the topic exists with other settings
|   `-- MessageTooLarge         the record is above the topic's limit
|-- SourceError                 a camera, file or folder cannot be read
|   `-- SourceLost              (retriable) it could be read, and then stopped
|-- SinkError                   the output cannot be written
|-- EmbeddedBrokerError         the embedded Kafka cannot be started
`-- FrameError                  this one frame cannot be processed: it becomes a dead letter
"""

from typing import ClassVar, Literal

Reason = Literal[
    "empty",
    "too_large",
    "not_an_image",
    "too_many_pixels",
    "undecodable",
    "bad_headers",
    "operator_error",
    "operator_timeout",
    "bad_result",
    "output_too_large",
    "undeliverable",
]


class FramelaneError(Exception):
    """Root of all our errors. The message names the thing and what to do about it."""

    exit_code: ClassVar[int] = 1
    retriable: ClassVar[bool] = False


class SettingError(FramelaneError):
    """A setting is wrong: its message names the key, the value and what was expected."""

    exit_code = 2


class KafkaError(FramelaneError):
    """Something about the broker, a topic or the rights on it."""


class BrokerUnavailable(KafkaError):
    """No broker answers at the bootstrap address."""

    retriable = True


class TopicMissing(KafkaError):
    """A topic that is needed does not exist."""

    retriable = True


class ClientFailed(KafkaError):
    """Kafka's client has met what it cannot go on after; a new one has to be made."""


class TopicMismatch(KafkaError):
    """A topic exists, but not as the contract or the request wants it."""


class MessageTooLarge(KafkaError):
    """A record is larger than the topic takes."""


class SourceError(FramelaneError):
    """A camera source cannot be opened or is not what it was said to be."""


class SourceLost(SourceError):
    """A source that gave frames does so no more; opening it again may help."""

    retriable = True


class Stopped(SystemExit):
    """A signal ends the process, from wherever it is; never to be taken for an exit of others' code."""


class SinkError(FramelaneError):
    """A subscriber's output cannot be written."""


class EmbeddedBrokerError(FramelaneError):
    """The embedded Kafka cannot be installed, formatted or started."""


class FrameError(FramelaneError):
    """One frame cannot be processed.

    reason: one of `Reason`; it stands in the dead letter and in the metrics.
    stage: where it happened: "gate", "decode", "encode", "publish", or an operator as "<index>:<name>".
    """

    def __init__(self, message: str, *, reason: Reason, stage: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.stage = stage
