"""A scene in which squares pass, and an operator that knows where they are."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from frame_support import picture

from streams.contract.event_types import DetectionsFound
from streams.contract.frame import Event, Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened

WIDTH, HEIGHT, SIDE = 320, 240, 30
EVERY, FIRST, STEPS, STEP = 50, 10, 28, 10


def places_in(index: int) -> list[tuple[int, int]]:
    """The squares' upper left corners in a frame, in pixels.

    Every 50 frames, in frames 10 to 37, one passes from left to right, and below it one from right to left.
    """
    step = index % EVERY - FIRST
    return [(10 + STEP * step, 60), (WIDTH - SIDE - 10 - STEP * step, 150)] if 0 <= step < STEPS else []


def square_scene(frames: int) -> list[Image]:
    """Its pictures, with a sensor's noise."""
    background, noise = picture(WIDTH, HEIGHT).astype(float), np.random.default_rng(1)
    images = []
    for index in range(frames):
        image = np.clip(background + noise.normal(0, 2, background.shape), 0, 255).astype(np.uint8)
        for x, y in places_in(index):
            image[y : y + SIDE, x : x + SIDE] = 0
            image[y : y + SIDE // 2, x : x + SIDE] = 255
        images.append(image)
    return images


@dataclass(frozen=True, slots=True)
class Squares:
    """Finds the squares, by the frame's number; named in tests as `square_scene:Squares`."""

    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = False

    def open(self) -> Opened:
        """Tell where they are."""

        def squares(frame: Frame) -> Frame:
            boxes = tuple(frame.box(x, y, SIDE, SIDE, label="square") for x, y in places_in(frame.sequence))
            return frame.with_events(Event(type="detection", data=DetectionsFound(zone="0", boxes=boxes)))

        return squares
