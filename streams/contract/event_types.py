"""What the events of each type carry in `data`.

Boxes and points are fractions (0 to 1) of the raw picture. Whoever reads events takes what has no type here as a plain
mapping, for anyone's operators may publish types of their own.
"""

import msgspec

from streams.contract.frame import Box

Point = tuple[float, float]


class MotionFound(msgspec.Struct, frozen=True, kw_only=True):
    """ "motion": something moves in a zone.

    zone: its number as text. boxes: what moves in it, largest first. area: what of the picture moves in it, as a
    fraction of the picture that the operator saw, without what is too small to have a box.
    """

    zone: str
    boxes: tuple[Box, ...]
    area: float = 0.0


class DetectionsFound(msgspec.Struct, frozen=True, kw_only=True):
    """ "detection": a network has found what it knows in a zone.

    zone: its number as text. boxes: with label and score, the surest first.
    """

    zone: str
    boxes: tuple[Box, ...]


class Face(Box, frozen=True, kw_only=True):
    """The box of a face. landmarks: its right eye, left eye, tip of the nose, right and left corner of the mouth."""

    landmarks: tuple[Point, Point, Point, Point, Point]


class FacesFound(msgspec.Struct, frozen=True, kw_only=True):
    """ "face": faces in the picture. boxes: with score and landmarks, the surest first."""

    boxes: tuple[Face, ...]


class CodeFound(msgspec.Struct, frozen=True, kw_only=True):
    """ "code": one QR code or marker.

    kind: "qr" or "aruco". text: what it says; of a marker its id. corners: clockwise as one reads it, from its upper
    left. boxes: the one that holds it, with the text as label.
    """

    kind: str
    text: str
    corners: tuple[Point, Point, Point, Point]
    boxes: tuple[Box, ...]


class HealthChanged(msgspec.Struct, frozen=True, kw_only=True):
    """ "health": something is wrong with a camera's picture, or no longer is.

    problem: "dark", "blurred", "frozen", "covered" or "moved". state: "begun", "ongoing" or "ended". value, threshold:
    what was measured, and the limit that it passed.
    """

    problem: str
    state: str
    value: float
    threshold: float


class TracksFound(msgspec.Struct, frozen=True, kw_only=True):
    """ "track": boxes of one type of event, each with the id of its track.

    of: the type, such as "detection". boxes: those that were found in this frame, the longest followed first. ended:
    ids of those that are gone.
    """

    of: str
    boxes: tuple[Box, ...]
    ended: tuple[str, ...] = ()


class LineCrossed(msgspec.Struct, frozen=True, kw_only=True):
    """ "line": something has crossed a line.

    line: its name, or number as text. direction: "in", from the left to the right of one who looks from its first point
    to its second, or "out". count: how many there are more by this event. boxes: the one that has crossed.
    """

    line: str
    direction: str
    count: int = 1
    boxes: tuple[Box, ...]


class DwellChanged(msgspec.Struct, frozen=True, kw_only=True):
    """ "dwell": something has entered a zone, has stayed in it for long, or has left it.

    zone: its name, or number as text. state: "entered", "stayed" or "left". ms: how long it has been in it, until it
    was last found there. boxes: the one that it is of.
    """

    zone: str
    state: str
    ms: int
    boxes: tuple[Box, ...]


EVENT_DATA: dict[str, type[msgspec.Struct]] = {
    "motion": MotionFound,
    "detection": DetectionsFound,
    "face": FacesFound,
    "code": CodeFound,
    "health": HealthChanged,
    "track": TracksFound,
    "line": LineCrossed,
    "dwell": DwellChanged,
}
