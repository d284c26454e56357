"""confluent-kafka's messages as records of the contract: the one place that reads them."""

from typing import TYPE_CHECKING, cast

from streams.contract.errors import FrameError
from streams.contract.frame import Headers
from streams.contract.headers import Record

if TYPE_CHECKING:
    from confluent_kafka import Message


def to_record(message: "Message") -> Record:
    """A message (not an error) as a Record; its key, value and headers are taken as they are.

    Raises FrameError (bad_headers) when a header's name is not UTF-8: the client cannot hand such headers over.
    """
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None and partition is not None and offset is not None
    _, timestamp_ms = message.timestamp()
    try:
        headers = message.headers() or []
    except UnicodeDecodeError as error:
        raise FrameError("a header's name is not UTF-8", reason="bad_headers", stage="headers") from error
    # The client's types allow what producers may give, a dict and texts; a consumer gets pairs of name and bytes.
    assert isinstance(headers, list)
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        # The client says -1 where the broker knows none: such a record lies at the beginning of time.
        timestamp_ms=max(0, timestamp_ms),
        key=message.key(),
        value=message.value(),
        headers=cast(Headers, headers),
    )
