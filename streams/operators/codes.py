"""`codes`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2

from streams.contract.event_types import CodeFound
from streams.contract.frame import Event, Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened
from streams.operators.boxes import raw_points
from streams.operators.checks import require
from streams.operators.grayscale import gray
from streams.operators.networks import Array

_KINDS = ("qr", "aruco")
_PREFIX = "DICT_"


@dataclass(frozen=True, slots=True)
class Codes:
    """Read QR codes and ArUco markers: an event for each in each picture; the picture stays as it is.

    kinds: "qr", "aruco" or both. dictionary: of the markers, such as "4x4_50", "aruco_original" or "apriltag_36h11";
    a smaller one mistakes less.
    """

    kinds: tuple[str, ...] = ("qr",)
    dictionary: str = "4x4_50"
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "gray"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        sound = 0 < len(self.kinds) == len(set(self.kinds)) and set(self.kinds) <= set(_KINDS)
        require(sound, self, "kinds", '["qr"], ["aruco"] or both')
        known = sorted({name.removeprefix(_PREFIX).lower() for name in dir(cv2.aruco) if name.startswith(_PREFIX)})
        require(self.dictionary in known, self, "dictionary", f"one of {', '.join(known)}")

    def open(self) -> Opened:
        """Read each frame; what is found but cannot be read is no event."""
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, _PREFIX + self.dictionary.upper()))

        def codes(frame: Frame) -> Frame:
            image = gray(frame.image)
            found = [("qr", *code) for code in _qr(image)] if "qr" in self.kinds else []
            if "aruco" in self.kinds:
                found += [("aruco", *marker) for marker in _markers(image, dictionary)]
            # OpenCV has no order of its own, and a repeat has to be the same.
            found.sort(key=lambda code: (code[0], code[1], code[2].tolist()))
            return frame.with_events(*(_event(frame, *code) for code in found)) if found else frame

        return codes


def _qr(image: Image) -> list[tuple[str, Array]]:
    """The text and corners (4, 2) of each code; each of OpenCV's readers misses some that the other one reads."""
    codes: list[tuple[str, Array]] = []
    # A reader costs nothing to make, and is for one thread.
    for reader in (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()):
        found, texts, corners, _ = reader.detectAndDecodeBytesMulti(image)
        for data, each in zip(texts, corners, strict=True) if found else ():
            text = _text(data)
            if text and not any(text == other and _within(each, there) for other, there in codes):
                codes.append((text, each))
    return codes


def _text(data: bytes) -> str:
    """What a QR code says: OpenCV gives UTF-8, but Kanji as Shift JIS."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        # Anyone may hold up a code, and it may be no text at all.
        return data.decode("shift_jis", errors="replace")


def _within(corners: Array, others: Array) -> bool:
    """Whether the middle of the first lies in the second."""
    x, y = corners.mean(axis=0).tolist()
    return cv2.pointPolygonTest(others, (x, y), False) >= 0


def _markers(image: Image, dictionary: cv2.aruco.Dictionary) -> Iterator[tuple[str, Array]]:
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(image)
    if ids is not None:
        for number, each in zip(ids.reshape(-1).tolist(), corners, strict=True):
            yield str(number), each.reshape(4, 2)


def _event(frame: Frame, kind: str, text: str, corners: Array) -> Event:
    points = corners.astype(float)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    first, second, third, fourth = raw_points(frame, points)
    box = frame.box(left, top, right - left, bottom - top, label=text)
    return Event(
        type="code",
        data=CodeFound(kind=kind, text=text, corners=(first, second, third, fourth), boxes=(box,)),
    )
