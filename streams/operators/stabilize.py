"""`stabilize`."""

from collections import deque
from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np

from streams.contract.frame import Frame
from streams.contract.images import Image, shrink
from streams.operators.base import Needs, Opened
from streams.operators.camera_motion import View, motion_between
from streams.operators.checks import require
from streams.operators.downscale import enough_size
from streams.operators.frame_order import FrameOrder
from streams.operators.grayscale import gray
from streams.operators.rigid import STILL, Rigid, mean

# In pixels: what a sensor's noise makes of a camera that stands still.
_LEAST_MOVE = 0.1
_BORDERS = {"crop": cv2.BORDER_REPLICATE, "replicate": cv2.BORDER_REPLICATE, "black": cv2.BORDER_CONSTANT}


@dataclass(frozen=True, slots=True)
class Stabilize:
    """Take the shaking out of a camera's pictures: each is shifted and turned to the mean place of the last ones.

    smooth_frames: of how many frames that is the mean; more is calmer, and follows a camera that is turned more slowly.
    most: how far at most a picture is shifted, as a fraction of its width and height. border: what is beyond the
    picture's edges: "crop" cuts off so much at each side as it may be shifted, "replicate" repeats the edge, "black" is
    black. Turns are as large as they come; a zoom is left as it is.
    """

    smooth_frames: int = 30
    most: float = 0.05
    border: Literal["crop", "replicate", "black"] = "crop"
    # Its lightness would do, but how a picture was made gray can turn the scale in where the camera is taken to be.
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(2 <= self.smooth_frames <= 1000, self, "smooth_frames", "a number of frames from 2 to 1000")
        require(0 < self.most <= 0.25, self, "most", "a fraction of the picture above 0, up to 0.25")
        require(self.border in _BORDERS, self, "border", " or ".join(f'"{border}"' for border in _BORDERS))

    @property
    def memory_frames(self) -> int:
        """As many as the mean is of: what comes out depends on no others."""
        return self.smooth_frames

    def open(self) -> Opened:
        """Watch the pictures of one camera; a new epoch, or a picture of another size, starts afresh."""
        order = FrameOrder()
        watch = _Watch(self.smooth_frames)
        seen: tuple[str, int, int] | None = None

        def stabilize(frame: Frame) -> Frame:
            nonlocal watch, seen
            correction = STILL
            if order.see(frame) is not None:
                if seen != (frame.epoch, frame.width, frame.height):
                    watch, seen = _Watch(self.smooth_frames), (frame.epoch, frame.width, frame.height)
                correction = watch.see(frame.image)
            return self._moved(frame, self._within(correction, frame))

        return stabilize

    def _within(self, correction: Rigid, frame: Frame) -> Rigid:
        """The correction, shifting no further than it may."""
        x, y = self.most * frame.width, self.most * frame.height
        shift = complex(max(-x, min(x, correction.shift.real)), max(-y, min(y, correction.shift.imag)))
        return Rigid(correction.turn, shift)

    def _moved(self, frame: Frame, correction: Rigid) -> Frame:
        width, height = frame.width, frame.height
        if self.border == "crop":
            # The same at both sides, so that the middle stays.
            width -= 2 * min(round(self.most * width), (width - 1) // 2)
            height -= 2 * min(round(self.most * height), (height - 1) // 2)
        left, top = (frame.width - width) // 2, (frame.height - height) // 2
        if _is_nothing(correction, frame):
            if (left, top) == (0, 0):
                return frame
            image = np.ascontiguousarray(frame.image[top : top + height, left : left + width])
            return frame.with_image(image, back=np.array([[1.0, 0.0, left], [0.0, 1.0, top]]))
        back = correction.back.matrix((width / 2, height / 2), (frame.width / 2, frame.height / 2))
        # From the pixels' edges; OpenCV counts from their centres: the same to 0.01 pixels for a turn of a degree.
        warped: Image = cv2.warpAffine(  # type: ignore[assignment]
            frame.image,
            back,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=_BORDERS[self.border],
        )
        return frame.with_image(warped, back=back)


def _is_nothing(correction: Rigid, frame: Frame) -> bool:
    """Whether no pixel would move by what anyone could see; then none is touched."""
    half = (frame.width + frame.height) / 2
    return abs(correction.shift) + abs(correction.turn.imag) * half < _LEAST_MOVE


class _Watch:
    """How one camera has moved over its last frames, all of one size."""

    def __init__(self, frames: int) -> None:
        # Only these: a mean that slowly forgets would depend on where it once began.
        self._steps: deque[Rigid] = deque(maxlen=frames - 1)
        self._view: View | None = None

    def see(self, image: Image) -> Rigid:
        """What takes the points of this picture to the mean of where they were in the last ones, in its pixels."""
        height, width = image.shape[:2]
        small_width, small_height = enough_size(width, height)
        view = View.of(gray(shrink(image, small_width, small_height)))
        if self._view is not None:
            self._steps.append(motion_between(self._view, view))
        self._view = view
        way, ways = STILL, [STILL]
        for step in reversed(self._steps):
            way = step.back.after(way)
            ways.append(way)
        calm = mean(ways)
        scaled = complex(calm.shift.real * width / small_width, calm.shift.imag * height / small_height)
        return Rigid(calm.turn, scaled)
