"""`dedupe`."""

from dataclasses import dataclass
from typing import ClassVar

import cv2

from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.downscale import enough_size
from streams.operators.grayscale import gray


@dataclass(frozen=True, slots=True)
class Dedupe:
    """Drop frames that show no change against the last one that passed; they count as filtered.

    threshold: how unlike it must be in some place, in steps of lightness (0 to 255): the mean of 8 x 8 pixels of a
    picture of at least 320, so that something small counts too. The noise of a sensor makes 1 to 3. keep_every_s: after
    so many seconds, by the times of capture, one passes even without change. Subscribers see what is dropped as
    missing.
    """

    threshold: float = 6.0
    keep_every_s: float = 10.0
    # Ten seconds of ten frames: with the default, the last that passed is among them.
    memory_frames: ClassVar[int] = 100
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(0 < self.threshold <= 255, self, "threshold", "steps of lightness above 0, up to 255")
        require(0 < self.keep_every_s <= 86_400, self, "keep_every_s", "seconds above 0, up to 86400")

    def open(self) -> Opened:
        """Compare the frames of one camera; the first one passes, and each of a new size."""
        keep_every_ns = round(self.keep_every_s * 1e9)
        passed: Image | None = None
        passed_at_ns = 0

        def dedupe(frame: Frame) -> Frame | None:
            nonlocal passed, passed_at_ns
            image = gray(frame.downscaled(*self.reads_at(frame.width, frame.height)))
            # A clock that was put back says nothing of how long it has been.
            recent = 0 <= frame.captured_at_ns - passed_at_ns < keep_every_ns
            if recent and passed is not None and passed.shape == image.shape and not self._differs(passed, image):
                return None
            passed, passed_at_ns = image, frame.captured_at_ns
            return frame

        return dedupe

    def reads_at(self, width: int, height: int) -> tuple[int, int]:
        """The picture halved for as long as 320 pixels of its width remain."""
        return enough_size(width, height)

    def _differs(self, before: Image, image: Image) -> bool:
        change = cv2.blur(cv2.absdiff(before, image), (8, 8))
        return float(change.max()) >= self.threshold
