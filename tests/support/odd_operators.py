"""Operators that do what none should, or what ours do not do; named in tests as `odd_operators:Class`."""

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from streams.contract.frame import Box, Event, Frame
from streams.operators.base import Needs, Opened


@dataclass(frozen=True, slots=True)
class Raises:
    """Fails on every frame."""

    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = False

    def open(self) -> Opened:
        """Divide by nothing."""

        def fail(frame: Frame) -> Frame:
            raise ZeroDivisionError(f"frame {frame.sequence}\nby nothing")

        return fail


@dataclass(frozen=True, slots=True)
class RaisesInOpenCV(Raises):
    """Fails as OpenCV does."""

    def open(self) -> Opened:
        """Ask for an even kernel."""
        return lambda frame: frame.with_image(cv2.medianBlur(frame.image, 4))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Returns(Raises):
    """Returns what no operator may. what: which of it."""

    what: str = "text"

    def open(self) -> Opened:
        """Return it."""

        def wrong(frame: Frame) -> Any:
            floats: Any = np.zeros((4, 4))
            return {
                "text": "a frame",
                "picture": frame.image,
                "another frame": frame.changed(sequence=frame.sequence + 1),
                "another camera": frame.changed(camera_id="other"),
                "floats": frame.with_image(floats),
                "nothing to see": frame.with_image(np.zeros((0, 4, 3), np.uint8)),
                "no picture": frame.changed(data=b"", _image=None),
                "another size": frame.with_image(np.zeros((9, 9), np.uint8)).changed(width=8),
                "fewer events": frame.changed(events=()),
            }[self.what]

        return wrong


@dataclass(frozen=True, slots=True)
class Scribbles(Raises):
    """Writes into the picture that it was given."""

    def open(self) -> Opened:
        """Blacken it."""

        def scribble(frame: Frame) -> Frame:
            frame.image[:] = 0
            return frame

        return scribble


@dataclass(frozen=True, slots=True)
class Negative(Raises):
    """Turns the picture into its negative, and says that it does not look at it."""

    def open(self) -> Opened:
        """Subtract it from white."""
        return lambda frame: frame.with_image(255 - frame.image)


@dataclass(frozen=True, slots=True)
class Brightness(Raises):
    """Measures how light the picture is, and leaves it as it is."""

    needs: ClassVar[Needs] = "gray"

    def open(self) -> Opened:
        """Attach the mean, of 0 to 255."""
        return lambda frame: frame.with_events(Event(type="brightness", data={"mean": float(frame.image.mean())}))


@dataclass(frozen=True, slots=True)
class Finds(Raises):
    """Finds something in every frame. count: how many things."""

    count: int = 1

    def open(self) -> Opened:
        """Attach the events."""
        box = Box(x=0.1, y=0.1, w=0.2, h=0.2)
        return lambda frame: frame.with_events(
            *(Event(type="thing", data={"number": number, "boxes": [box]}) for number in range(self.count))
        )


@dataclass(frozen=True, slots=True)
class Odd(Raises):
    """Lets only odd frames pass."""

    def open(self) -> Opened:
        """Filter out the even ones."""
        return lambda frame: frame if frame.sequence % 2 else None


@dataclass(frozen=True, slots=True)
class Counts(Raises):
    """Remembers how many frames it has seen. frames: how many it looks back on."""

    frames: int = 3
    version: ClassVar[int] = 2

    @property
    def memory_frames(self) -> int:  # type: ignore[override]
        """As many as it is told."""
        return self.frames

    def open(self) -> Opened:
        """Begin at 0."""
        seen = 0

        def count(frame: Frame) -> Frame:
            nonlocal seen
            seen += 1
            return frame.with_events(Event(type="count", data={"seen": seen}))

        return count


class NoDataclass:
    """Has the members, but no fields."""

    memory_frames = 0
    needs = "none"
    changes_image = False

    def open(self) -> Opened:
        """Pass everything."""
        return lambda frame: frame


@dataclass(frozen=True)
class NeedsMuch(NoDataclass):
    """Needs what there is not."""

    needs = "infrared"


@dataclass(frozen=True)
class Touchy(NoDataclass):
    """Refuses in its own way."""

    mood: int = 0

    def __post_init__(self) -> None:
        if self.mood < 1:
            raise ValueError("not in the mood")


def not_a_class() -> None:
    """No operator at all."""
