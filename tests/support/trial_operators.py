"""Operators that behave badly, or slowly: given to workers as `trial_operators:NAME`."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from streams.contract.frame import Event, Frame

# What hangs, hangs until this is set.
HANG = threading.Event()


@dataclass(frozen=True, slots=True)
class Slow:
    """Takes its time. ms: for each frame."""

    ms: int = 10
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame | None]:
        def operate(frame: Frame) -> Frame:
            time.sleep(self.ms / 1000)
            return frame

        return operate


@dataclass(frozen=True, slots=True)
class Misbehave:
    """Does something wrong to every frame of one camera. how: raise, hang, dtype, empty, nothing, number."""

    camera: str = "bad"
    how: str = "raise"
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = True

    def open(self) -> Callable[[Frame], Frame | None]:
        def operate(frame: Frame) -> Frame | None:
            if frame.camera_id != self.camera:
                return frame
            if self.how == "raise":
                raise RuntimeError("this operator always raises")
            if self.how == "hang":
                HANG.wait()
            if self.how == "dtype":
                return frame.with_image(np.zeros((4, 4), np.float64))  # type: ignore[arg-type]
            if self.how == "empty":
                return frame.with_image(np.zeros((0, 4, 3), np.uint8))
            if self.how == "number":
                return 7  # type: ignore[return-value]
            return None

        return operate


@dataclass(frozen=True, slots=True)
class Noise:
    """Replaces the picture by noise, which does not compress. width, height: pixels."""

    width_px: int = 1280
    height_px: int = 720
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = True

    def open(self) -> Callable[[Frame], Frame | None]:
        noise = np.random.default_rng(0).integers(0, 255, (self.height_px, self.width_px, 3), np.uint8)
        return lambda frame: frame.with_image(noise)


@dataclass(frozen=True, slots=True)
class InOrder:
    """Remembers: refuses a frame that does not follow the one before it."""

    memory_frames: ClassVar[int] = 1
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame | None]:
        seen: list[int] = []
        busy = threading.Lock()

        def operate(frame: Frame) -> Frame:
            if not busy.acquire(blocking=False):
                raise RuntimeError("two frames of one camera at once")
            try:
                time.sleep(0.001 * (frame.sequence % 3))
                if seen and frame.sequence != seen[-1] + 1:
                    raise RuntimeError(f"{frame.sequence} after {seen[-1]}")
                seen.append(frame.sequence)
            finally:
                busy.release()
            return frame

        return operate


@dataclass(frozen=True, slots=True)
class Rising:
    """Remembers, takes its time, and refuses a frame that is not newer than the one before it. ms: for each frame."""

    ms: int = 10
    memory_frames: ClassVar[int] = 1
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame | None]:
        seen: list[int] = []

        def operate(frame: Frame) -> Frame:
            time.sleep(self.ms / 1000)
            if seen and frame.sequence <= seen[-1]:
                raise RuntimeError(f"{frame.sequence} after {seen[-1]}")
            seen.append(frame.sequence)
            return frame

        return operate


@dataclass(frozen=True, slots=True)
class Remembers:
    """Tells which frames it has seen. hang_at, raise_at: the sequence of a frame at which it hangs, or raises."""

    hang_at: int = -1
    raise_at: int = -1
    memory_frames: ClassVar[int] = 100
    needs: ClassVar[str] = "none"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame | None]:
        seen: list[int] = []

        def operate(frame: Frame) -> Frame:
            if frame.sequence == self.hang_at:
                HANG.wait()
            if frame.sequence == self.raise_at:
                raise RuntimeError("this frame is too much")
            seen.append(frame.sequence)
            return frame.with_events(Event(type="seen", data={"sequences": list(seen)}))

        return operate


@dataclass(frozen=True, slots=True)
class InTurn:
    """Remembers, so each camera's frames come one after the other."""

    memory_frames: ClassVar[int] = 1
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame | None]:
        return lambda frame: frame


@dataclass(frozen=True, slots=True)
class NoModel:
    """Remembers, and cannot be opened when the first frame is there."""

    memory_frames: ClassVar[int] = 1
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame | None]:
        if threading.current_thread() is threading.main_thread():
            return lambda frame: frame
        raise OSError("no model there")


@dataclass(frozen=True, slots=True)
class Exits:
    """Ends the process, or tries to: when it is made, or opened."""

    when: str = "opened"
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.when == "made":
            sys.exit("no licence")

    def open(self) -> Callable[[Frame], Frame | None]:
        sys.exit("no licence")


# Frames wait here until it is set; each tells of its beginning.
GATE = threading.Event()
BEGUN = threading.Semaphore(0)


@dataclass(frozen=True, slots=True)
class Gate:
    """Waits at the gate. Its picture is 8 pixels wide for each frame that it has seen since it was opened."""

    memory_frames: int = 0
    needs: ClassVar[str] = "color"
    changes_image: ClassVar[bool] = True

    def open(self) -> Callable[[Frame], Frame | None]:
        seen: list[int] = []
        busy = threading.Lock()

        def operate(frame: Frame) -> Frame:
            if self.memory_frames and not busy.acquire(blocking=False):
                raise RuntimeError("two frames of one memory at once")
            BEGUN.release()
            GATE.wait()
            seen.append(frame.sequence)
            if self.memory_frames:
                busy.release()
            return frame.with_image(np.zeros((8, 8 * len(seen), 3), np.uint8))

        return operate
