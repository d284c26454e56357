"""How large a record is for the broker: what a topic's `max.message.bytes` is held against.

The broker compares the whole record batch, as it comes over the wire (`analyzeAndValidateRecords` of Kafka's
UnifiedLog): the batch's header, and in the record key, value and headers, each with its length. A client that
compresses sends less than this; JPEG, PNG and WebP do not compress.
"""

from collections.abc import Sequence

# RECORD_BATCH_OVERHEAD in org.apache.kafka.common.record.DefaultRecordBatch.
_BATCH_HEADER = 61
# Attributes, and the record's time and offset as differences to the batch's: 0 where it is alone in it.
_RECORD_HEADER = 3


def batch_bytes(key: bytes, value_size: int, headers: Sequence[tuple[str, bytes]]) -> int:
    """Bytes of a record batch, format 2, that holds this record alone; value_size: bytes of the value."""
    body = _RECORD_HEADER + _with_length(len(key)) + _with_length(value_size) + _varint(len(headers))
    body += sum(_with_length(len(name.encode())) + _with_length(len(value)) for name, value in headers)
    return _BATCH_HEADER + _with_length(body)


def _with_length(size: int) -> int:
    return _varint(size) + size


def _varint(number: int) -> int:
    """Bytes of a number that is not negative as a zigzag varint: seven bits in each, one of them for the sign."""
    return max(1, -(-(number.bit_length() + 1) // 7))
