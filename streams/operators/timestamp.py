"""`timestamp`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.letters import PAPER, letter_scale, write

# Those that say the same in every locale; %3f is ours: %f in milliseconds.
_DIRECTIVES = "%Y %y %m %d %j %H %I %M %S %f %3f %z %Z %%"
_DIRECTIVE = re.compile(r"%(3f|.?)")
_MAX_FORMAT = 64


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Write the time of capture into the picture.

    format: as of strftime, with %Y %y %m %d %j %H %I %M %S %f %z %Z %%, and %3f for milliseconds. zone: "UTC" or a name
    of the IANA database, as "Europe/Berlin", by the rules that this machine has of it. position: a corner. scale: of
    the letters; 1 is a fortieth of the picture's height. background: a dark strip; without it, the letters have a dark
    outline.
    """

    format: str = "%Y-%m-%d %H:%M:%S.%3f %Z"
    zone: str = "UTC"
    position: Literal["top_left", "top_right", "bottom_left", "bottom_right"] = "bottom_left"
    scale: float = 1.0
    background: bool = True
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        known = {f"%{name}" for name in _DIRECTIVE.findall(self.format)} <= {*_DIRECTIVES.split(" ")}
        # What the letters have no shape for would come out as question marks.
        writable = self.format.isascii() and self.format.isprintable() and 0 < len(self.format.strip()) <= _MAX_FORMAT
        expected = f"up to {_MAX_FORMAT} ASCII letters with {_DIRECTIVES}"
        require(known and writable, self, "format", expected)
        require(
            _zone(self.zone) is not None,
            self,
            "zone",
            '"UTC" or a name as "Europe/Berlin" that this machine knows; where it knows none at all, install tzdata',
        )
        corners = ("top_left", "top_right", "bottom_left", "bottom_right")
        require(self.position in corners, self, "position", " or ".join(f'"{corner}"' for corner in corners))
        require(0.25 <= self.scale <= 10, self, "scale", "a number from 0.25 to 10")

    def open(self) -> Opened:
        """Write on a copy of each frame."""
        zone = _zone(self.zone) or UTC
        paper = PAPER if self.background else None

        def timestamp(frame: Frame) -> Frame:
            image = frame.image.copy()
            # Beyond the picture: `write` moves it in.
            x = frame.width if self.position.endswith("right") else 0
            y = frame.height if self.position.startswith("bottom") else 0
            text = time_text(frame.captured_at_ns, self.format, zone)
            write(image, text, (x, y), letter_scale(frame.height) * self.scale, paper=paper)
            return frame.with_image(image)

        return timestamp


def time_text(at_ns: int, format: str, zone: tzinfo) -> str:
    """A time in ns since 1970 by this format and in this zone; what is finer than it shows is cut off."""
    # Whole numbers all the way: a float of ns since 1970 is off by up to 128 ns, which can turn the last digit.
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    at = datetime.fromtimestamp(seconds, tz=zone).replace(microsecond=rest_ns // 1000)
    milliseconds = f"{rest_ns // 1_000_000:03d}"
    return at.strftime(_DIRECTIVE.sub(lambda found: milliseconds if found[1] == "3f" else found[0], format))


def _zone(name: str) -> tzinfo | None:
    """The zone, or None where this machine does not know it."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        # "Europe" is a directory, "../x" no name of a zone.
        return None
