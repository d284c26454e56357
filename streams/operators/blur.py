"""`blur`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require


@dataclass(frozen=True, slots=True)
class Blur:
    """Soften, so that detail and noise go.

    kind: "gaussian", or "median", which removes specks and keeps edges. kernel: odd, in pixels of the picture seen.
    """

    kind: Literal["gaussian", "median"] = "gaussian"
    kernel: int = 5
    memory_frames: ClassVar[int] = 0
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.kind in ("gaussian", "median"), self, "kind", '"gaussian" or "median"')
        require(3 <= self.kernel <= 255 and self.kernel % 2 == 1, self, "kernel", "an odd number from 3 to 255")

    @property
    def needs(self) -> Needs:
        """The median of each channel is not that of the lightness."""
        return "any" if self.kind == "gaussian" else "color"

    def open(self) -> Opened:
        """Soften each frame."""
        kernel = self.kernel

        def gaussian(frame: Frame) -> Frame:
            return frame.with_image(cv2.GaussianBlur(frame.image, (kernel, kernel), 0))  # type: ignore[arg-type]

        def median(frame: Frame) -> Frame:
            return frame.with_image(cv2.medianBlur(frame.image, kernel))  # type: ignore[arg-type]

        return gaussian if self.kind == "gaussian" else median
