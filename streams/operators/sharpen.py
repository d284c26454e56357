"""`sharpen`."""

from dataclasses import dataclass
from typing import ClassVar

import cv2

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require


@dataclass(frozen=True, slots=True)
class Sharpen:
    """Bring out detail (unsharp mask).

    amount: how much of the detail is added. sigma: how fine that detail is, in pixels.
    """

    amount: float = 1.0
    sigma: float = 1.0
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(0 < self.amount <= 10, self, "amount", "a number above 0, up to 10")
        require(0 < self.sigma <= 20, self, "sigma", "pixels above 0, up to 20")

    def open(self) -> Opened:
        """Sharpen each frame; values are cut at 0 and 255."""

        def sharpen(frame: Frame) -> Frame:
            soft = cv2.GaussianBlur(frame.image, (0, 0), self.sigma)
            # Written over the blurred copy, which is ours, so that no third picture is needed.
            image = cv2.addWeighted(frame.image, 1 + self.amount, soft, -self.amount, 0, dst=soft)
            return frame.with_image(image)  # type: ignore[arg-type]

        return sharpen
