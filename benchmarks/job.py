"""What a contender is asked to do: one JSON argument on its command line, the same for all."""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

Work = Literal["blur", "half", "motion", "heavy"]
# In Job.folder: a file that grows by one byte with each frame done, where no output topic tells.
PROGRESS = "progress"
# Outputs whose offset in the input topic is a multiple of this are compared.
SAMPLE_EVERY = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a contender.

    bootstrap, input, output, events, dead_letter, group: where frames come from and go to; `Bench.job` makes what is
    missing.
    work: "blur" is decode, blur 5x5, encode; "half" is decode, half the size, encode; "motion" is decode, look for
    what moves, publish frame and events; "heavy" is decode, median 31x31, encode: 30 ms and more. width: pixels of the
    input's frames.
    threads: frames processed at the same time. processes, opencv_threads: of Quix Streams, which has no threads; for
    all others OpenCV's own threads are off.
    frames: how many the input topic holds.
    linger_ms, fetch_bytes (of a partition), batch_bytes, in_flight: settings of loops and clients.
    folder: for what the contender writes. extra: keys of our own pipeline, such as plan = false.
    """

    bootstrap: str
    input: str
    output: str = ""
    events: str = ""
    dead_letter: str = ""
    group: str = ""
    work: Work = "blur"
    width: int = 1280
    threads: int = 2
    processes: int = 1
    opencv_threads: int = 1
    frames: int = 0
    linger_ms: float = 0.0
    fetch_bytes: int = 4 * 1024 * 1024
    batch_bytes: int = 1_000_000
    in_flight: int = 16
    quality: int = 80
    folder: str = ""
    extra: tuple[tuple[str, str | int | bool], ...] = ()

    def to_json(self) -> str:
        """The job as one argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The job that an argument says."""
        values = json.loads(text)
        return cls(**{**values, "extra": tuple((key, value) for key, value in values["extra"])})
