"""`faces`."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from streams.contract.event_types import Face, FacesFound
from streams.contract.frame import Event, Frame
from streams.operators.base import Needs, Opened
from streams.operators.boxes import raw_points
from streams.operators.checks import require
from streams.operators.networks import VERSION_DIGITS, Array, ModelFile, Spares, read_model, refused, said

_TRIED_SIDE = 64
_LEAST_SIZE = 32


@dataclass(frozen=True, slots=True)
class Faces:
    """Find faces (YuNet): an event for each picture with any; the picture stays as it is.

    model: the network, an ONNX file such as face_detection_yunet_2023mar.onnx. score: how sure it must be, 0 to 1.
    nms: of two that overlap by more (intersection over union), the less sure one is left out. min_size: the least
    height of a face that counts, as a fraction of the picture's. size: the longer side, in pixels, of the picture that
    it looks at; a larger one is made smaller. The network sees faces of 10 to 300 pixels there.
    """

    model: str
    score: float = 0.8
    nms: float = 0.3
    min_size: float = 0.0
    size: int = 640
    # Read once: the file may change, or go, while frames come.
    file: ModelFile = field(init=False, repr=False)
    files: ClassVar[tuple[str, ...]] = ("model",)
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(0 < self.score <= 1, self, "score", "a number above 0, up to 1")
        require(0 < self.nms <= 1, self, "nms", "a number above 0, up to 1")
        require(0 <= self.min_size <= 1, self, "min_size", "a fraction of the picture's height, 0 to 1")
        require(_LEAST_SIZE <= self.size <= 4096, self, "size", f"{_LEAST_SIZE} to 4096 pixels")
        file = read_model(self)
        try:
            _try(file)
        except cv2.error as error:
            raise refused(self, "model", f"an ONNX file of YuNet that OpenCV can run ({said(error)})") from error
        object.__setattr__(self, "file", file)

    @property
    def version(self) -> str:
        """Another for another content of the file."""
        return self.file.digest[:VERSION_DIGITS]

    def open(self) -> Opened:
        """Look at each frame, with as many copies of the network as there are threads that do."""
        detectors = Spares(lambda: _detector(self.file, score=self.score, nms=self.nms))

        def faces(frame: Frame) -> Frame:
            width, height = self.reads_at(frame.width, frame.height)
            image = frame.downscaled(width, height)
            if image.ndim == 2:
                image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
            with detectors.one() as detector:
                detector.setInputSize((width, height))
                _, rows = detector.detect(image)
            if rows is None:
                return frame
            scale = np.array((frame.width / width, frame.height / height))
            # Where two are as sure, by place, so that a repeat is the same.
            ordered = sorted(rows.tolist(), key=lambda row: (-row[14], row))
            found = [_face(frame, row, scale) for row in ordered if row[3] >= self.min_size * height]
            return frame.with_events(Event(type="face", data=FacesFound(boxes=tuple(found)))) if found else frame

        return faces

    def reads_at(self, width: int, height: int) -> tuple[int, int]:
        """The size with no side above `size`, where the picture is larger."""
        scale = min(1.0, self.size / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


def _face(frame: Frame, row: list[float], scale: Array) -> Face:
    """row: x, y, width, height, five points as x, y, and the score, in pixels of the picture that was looked at."""
    points = np.array(row[:14]).reshape(7, 2) * scale
    # It may reach beyond the picture, and what lies there in the raw one has not been looked at.
    (left, top), (right, bottom) = np.clip([points[0], points[0] + points[1]], 0, (frame.width, frame.height)).tolist()
    box = frame.box(left, top, right - left, bottom - top)
    eye, other_eye, nose, mouth, other_mouth = raw_points(frame, points[2:])
    return Face(
        x=box.x,
        y=box.y,
        w=box.w,
        h=box.h,
        score=round(row[14], 4),
        landmarks=(eye, other_eye, nose, mouth, other_mouth),
    )


def _detector(file: ModelFile, *, score: float, nms: float) -> cv2.FaceDetectorYN:
    side = (_TRIED_SIDE, _TRIED_SIDE)
    return cv2.FaceDetectorYN.create("onnx", file.buffer, np.empty(0, np.uint8), side, score, nms)


@lru_cache(maxsize=8)
def _try(file: ModelFile) -> None:
    """Have the network look at a picture of nothing; cv2.error when it cannot, or puts out what YuNet does not."""
    detector = _detector(file, score=0.5, nms=0.3)
    detector.detect(np.zeros((_TRIED_SIDE, _TRIED_SIDE, 3), np.uint8))
