"""Whether what came out is right: every frame once at least, and a sample of pixels as the plain way makes them."""

import math
from pathlib import Path

import numpy as np
from confluent_kafka import Message

from benchmarks.contenders.codec import process_of
from benchmarks.job import SAMPLE_EVERY, Job
from benchmarks.reading import headers_of, read_topic
from streams.contract.errors import FramelaneError
from streams.contract.images import decode


class Outputs:
    """What a job must put out: the names of all frames, and by name a sample made by the plain codec calls here."""

    def __init__(self, job: Job) -> None:
        process = process_of(job)
        messages = read_topic(job.bootstrap, job.input, count=job.frames)
        self._names = {_name(message) for message in messages}
        self._sample: dict[str, bytes] = {}
        self._places: dict[str, str] = {}
        for message in messages:
            key, value, offset = message.key(), message.value(), message.offset()
            assert key is not None and value is not None and offset is not None
            if offset % SAMPLE_EVERY == 0:
                self._sample[_name(message)] = process(key, value)[0]
                self._places[_name(message)] = f"{message.partition()}-{offset}"

    def check(self, job: Job, label: str, *, exact: bool) -> float:
        """How like the plain result the sample is: PSNR in dB of the worst frame, infinite where all are the same.

        Raises FramelaneError when a frame is missing, or when pixels differ though they must not.
        """
        kept = Path(job.folder, next(iter(self._places.values()))).exists()
        found, wanted = (self._kept(job), self._places.keys()) if kept else (self._read(job), self._names)
        missing = wanted - found.keys()
        if missing:
            raise FramelaneError(f"{label}: {len(missing)} of {len(wanted)} frames are missing: {min(missing)} ...")
        worst = min(_likeness(found[name], data) for name, data in self._sample.items())
        if exact and math.isfinite(worst):
            raise FramelaneError(f"{label}: its pixels differ from those of the others (PSNR {worst:.1f} dB)")
        return worst

    def _kept(self, job: Job) -> dict[str, bytes]:
        return {name: Path(job.folder, place).read_bytes() for name, place in self._places.items()}

    def _read(self, job: Job) -> dict[str, bytes]:
        messages = read_topic(job.bootstrap, job.output, count=job.frames)
        return {_name(message): message.value() or b"" for message in messages}


def _name(message: Message) -> str:
    return headers_of(message).get("ce_id", "")


def _likeness(data: bytes, other: bytes) -> float:
    """PSNR in dB between two encoded images; infinite for the same pixels, 0 where the sizes differ."""
    if data == other:
        return math.inf
    left, right = (decode(each).astype(np.float64) for each in (data, other))
    if left.shape != right.shape:
        return 0.0
    mean_square = float(np.mean((left - right) ** 2))
    return math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square)
