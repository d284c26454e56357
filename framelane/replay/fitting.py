"""Outputs that a topic takes: one that is too large becomes a dead letter before the broker refuses it.

Known beforehand, for a refused record would end the transaction that it is in, with all its neighbours.
"""

from collections.abc import Mapping
from dataclasses import replace

from streams.contract.errors import FrameError
from streams.contract.headers import Record
from streams.pipeline import Pipeline
from streams.processing import Result, failed
from streams.publisher import OutRecord

# Of a batch with one record; lengths are written in up to five bytes.
_BATCH_BYTES, _LENGTH_BYTES = 128, 5


def fitting(result: Result, record: Record, pipeline: Pipeline, limits: Mapping[str, int]) -> Result:
    """The result, or a dead letter where a topic does not take one of its records; at last one without the frame.

    limits: bytes that each topic takes of a record.
    """
    large = next((out for out in result.records if _size(out) > limits[out.topic]), None)
    if large is None:
        return result
    if not result.is_letter:
        size, limit = _size(large), limits[large.topic]
        error = FrameError(
            f"topic {large.topic} does not take it: {size} bytes, the limit is {limit}",
            reason="output_too_large",
            stage="publish",
        )
        return fitting(failed(record, error, pipeline=pipeline), record, pipeline, limits)
    # It says where the frame lies, and why it failed.
    return replace(result, records=tuple(replace(out, value=b"") for out in result.records))


def _size(out: OutRecord) -> int:
    headers = sum(len(name) + len(value) + 2 * _LENGTH_BYTES for name, value in out.headers)
    return len(out.value) + len(out.key or b"") + headers + _BATCH_BYTES
