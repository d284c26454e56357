"""`annotate`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

import cv2

from streams.contract.frame import Box, Event, Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened
from streams.operators.boxes import boxes_of
from streams.operators.letters import INK, letter_scale, write
from streams.operators.timestamp import time_text

_BOX_COLOR = (0, 220, 255)
_TIME = "%Y-%m-%d %H:%M:%S.%3fZ"


@dataclass(frozen=True, slots=True)
class Annotate:
    """Draw boxes, the camera's id and the time into the picture.

    boxes: those of the events found so far, with the end of the track's id where they are followed. camera: its id.
    time: of capture, in UTC.
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
            found = _each_once(boxes_of(frame.events)) if self.boxes else []
            words = caption(frame, camera=self.camera, time=self.time)
            if not found and not words:
                return frame
            image = frame.image.copy()
            scale = letter_scale(frame.height)
            for event, box in found:
                _draw_box(image, frame.pixels_of(box), _title(event, box), scale)
            if words:
                write(image, words, (0, 0), scale)
            return frame.with_image(image)

        return annotate


def caption(frame: Frame, *, camera: bool, time: bool) -> str:
    """What is written in the corner: the camera's id, and when the picture was taken, to the millisecond."""
    return "  ".join([frame.camera_id] * camera + [time_text(frame.captured_at_ns, _TIME, UTC)] * time)


def _each_once(found: Iterable[tuple[Event, Box]]) -> list[tuple[Event, Box]]:
    """Without what `track` has found again of others, and others of it: one box at a place, where one has a track."""
    known = list(found)
    tracked = {(box.x, box.y, box.w, box.h): (event, box) for event, box in reversed(known) if box.track}
    drawn = [(event, box) for event, box in known if (box.x, box.y, box.w, box.h) not in tracked]
    return drawn + list(reversed(tracked.values()))


def _title(event: Event, box: Box) -> str:
    title = f"{box.label or event.type} {box.score:.2f}" if box.score else box.label or event.type
    # The epoch is the same for all of them.
    return f"{title} #{'-'.join(box.track.rsplit('-', 2)[1:])}" if box.track else title


def _draw_box(image: Image, rect: tuple[int, int, int, int], title: str, scale: float) -> None:
    x, y, w, h = rect
    thickness = max(1, round(2 * scale))
    # In a gray picture the first number counts, and blue would be black.
    color = _BOX_COLOR if image.ndim == 3 else INK
    cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), color, thickness)
    write(image, title, (x, y + h), scale)
