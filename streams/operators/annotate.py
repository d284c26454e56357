"""`annotate`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import cv2

from streams.contract.frame import Box, Event, Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened
from streams.operators.boxes import boxes_of

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BOX_COLOR = (0, 220, 255)
_INK = (255, 255, 255)
_PAPER = (32, 32, 32)


@dataclass(frozen=True, slots=True)
class Annotate:
    """Draw boxes, the camera's id and the time into the picture.

    boxes: those of the events found so far. camera: its id. time: of capture, in UTC.
    """

    boxes: bool = True
    camera: bool = True
    time: bool = True
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = True

    def open(self) -> Opened:
        """Draw on a copy of each frame; one with nothing to draw passes untouched."""

        def annotate(frame: Frame) -> Frame:
            found = list(boxes_of(frame.events)) if self.boxes else []
            words = caption(frame, camera=self.camera, time=self.time)
            if not found and not words:
                return frame
            image = frame.image.copy()
            # Readable at any size: letters are about a fortieth of the picture's height, and never below ten pixels.
            scale = max(0.45, frame.height / 40 / 22)
            for event, box in found:
                _draw_box(image, frame.pixels_of(box), _title(event, box), scale)
            if words:
                _write(image, words, (0, 0), scale, _PAPER)
            return frame.with_image(image)

        return annotate


def caption(frame: Frame, *, camera: bool, time: bool) -> str:
    """What is written in the corner: the camera's id, and when the picture was taken, to the millisecond."""
    return "  ".join([frame.camera_id] * camera + [_utc(frame.captured_at_ns)] * time)


def _utc(at_ns: int) -> str:
    # Whole numbers all the way: a float of ns since 1970 is off by up to 128 ns, which can turn the last digit.
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at_ns % 1_000_000_000 // 1_000_000:03d}Z"


def _title(event: Event, box: Box) -> str:
    title = box.label or event.type
    return f"{title} {box.score:.2f}" if box.score else title


def _draw_box(image: Image, rect: tuple[int, int, int, int], title: str, scale: float) -> None:
    x, y, w, h = rect
    thickness = max(1, round(2 * scale))
    # In a gray picture the first number counts, and blue would be black.
    color = _BOX_COLOR if image.ndim == 3 else _INK
    cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), color, thickness)
    _write(image, title, (x, y + h), scale, _PAPER)


def _write(image: Image, text: str, at: tuple[int, int], scale: float, paper: tuple[int, int, int]) -> None:
    """Text on a strip of its own, its upper left corner as near to `at` as the picture allows."""
    thickness = max(1, round(scale))
    (width, height), below = cv2.getTextSize(text, _FONT, scale, thickness)
    margin = max(2, round(4 * scale))
    across, down = width + 2 * margin, height + below + 2 * margin
    x = max(0, min(at[0], image.shape[1] - across))
    y = max(0, min(at[1], image.shape[0] - down))
    cv2.rectangle(image, (x, y), (x + across - 1, y + down - 1), paper, cv2.FILLED)
    cv2.putText(image, text, (x + margin, y + margin + height), _FONT, scale, _INK, thickness, cv2.LINE_AA)
