"""What is to be compared with what, and what counts as the same."""

import math
from dataclasses import dataclass, field
from typing import Literal

from framelane.topic_rules import check_topic_name
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError
from streams.contract.identity import pipeline_source

# A frame's name: camera, epoch, sequence.
Key = tuple[str, str, int]
# The first or the second of the two that are compared.
Which = Literal[0, 1]
LETTERS = ("A", "B")
SIDES: tuple[Which, Which] = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two.

    topic: of the frames. events, dead_letter: topics; None: found by the name of the first. pipeline: only what this
    one has made; None: the topic has to hold frames of one only.
    """

    topic: str
    events: str | None = None
    dead_letter: str | None = None
    pipeline: str | None = None

    def __post_init__(self) -> None:
        for topic in (self.topic, self.events, self.dead_letter):
            if topic is not None:
                check_topic_name(topic)

    @property
    def source(self) -> str | None:
        """`ce_source` of what is meant; None where no pipeline is named."""
        return None if self.pipeline is None else pipeline_source(self.pipeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A comparison.

    since_ns, until_ns: only frames captured from then on, and before then; ns since 1970. common: of each camera only
    the time that both sides have. frames: else events alone. events: else frames alone. psnr: pictures so alike, in dB,
    are the same; 0: pictures are not compared. tolerance: numbers in events that differ by no more are the same. worst:
    so many pairs are shown of pictures, and of events.
    """

    sides: tuple[Side, Side]
    cameras: CameraGlobs = field(default_factory=CameraGlobs)
    since_ns: int | None = None
    until_ns: int | None = None
    common: bool = False
    frames: bool = True
    events: bool = True
    psnr: float = math.inf
    tolerance: float = 1e-6
    worst: int = 12

    def __post_init__(self) -> None:
        if not (self.frames or self.events):
            raise SettingError("--only-events with --ignore-events: nothing is left to be compared")
        if self.since_ns is not None and self.until_ns is not None and self.since_ns >= self.until_ns:
            raise SettingError("--since, --until: nothing lies between")
        if math.isnan(self.psnr) or self.psnr < 0:
            raise SettingError(f"--psnr {self.psnr:g}: expected decibels, 0 or more, such as 50")
        if not 0 <= self.tolerance < math.inf:
            raise SettingError(f"--event-tolerance {self.tolerance:g}: expected a number, 0 or more, such as 0.001")

    def wants(self, camera_id: str, captured_at_ns: int) -> bool:
        """Whether frames of this camera and time are compared."""
        if self.since_ns is not None and captured_at_ns < self.since_ns:
            return False
        if self.until_ns is not None and captured_at_ns >= self.until_ns:
            return False
        return self.cameras.match(camera_id)
