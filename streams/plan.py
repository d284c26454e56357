"""The plan of a pipeline: what of a JPEG has to be decoded, and when, so that its operators get what they look at.

It rests on what operators say of themselves: `needs`, `changes_image` and, where they have it, `reads_at`. An operator
that asks a frame for more than it has said gets it all the same: it is then decoded once more, in full.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from streams.contract.images import Mode, Scale
from streams.operators.base import Operator

ReadsAt = Callable[[int, int], tuple[int, int]]
_SCALES: tuple[Scale, ...] = (8, 4, 2)
_ROOM = 4 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is decoded of a JPEG; other formats are decoded in full and in colour, before the first operator.

    at: the index of the operator before which it is decoded, that of the last plus one for "before it is encoded", or
    None for never. mode: "gray" where lightness is enough. readers: of each operator that looks at the picture before
    another one comes of it, the size that it reads; empty where one of them reads all of it. turns_gray: what goes out
    is gray, be the camera's bytes in colour or not. whole_because, color_because: for people, why it is not decoded at
    a reduced scale, or not to gray; "" where it is.
    """

    at: int | None = 0
    mode: Mode = "color"
    readers: tuple[ReadsAt, ...] = ()
    turns_gray: bool = False
    whole_because: str = ""
    color_because: str = ""

    @property
    def approximates(self) -> bool:
        """Whether what comes out may differ a little from what comes of the whole picture."""
        return bool(self.readers) or self.mode == "gray"

    def scale(self, width: int, height: int) -> Scale:
        """How many times smaller a picture of this size, in pixels, is decoded: all readers find at least theirs."""
        if not self.readers:
            return 1
        sizes = [reads_at(width, height) for reads_at in self.readers]
        least_width, least_height = max(size[0] for size in sizes), max(size[1] for size in sizes)
        for scale in _SCALES:
            # Without a rest, for a last column or row that is half a pixel would move all that lies before it.
            if width % scale or height % scale:
                continue
            across, down = width // scale / least_width, height // scale / least_height
            # An eighth or a quarter that is averaged once more, but by a little, would be softer than it has to be.
            if min(across, down) >= (1 if scale == 2 or across == down == 1 else _ROOM):
                return scale
        return 1


# Everything is decoded, before the first operator.
UNPLANNED: Final = Plan(whole_because="plan = false", color_because="plan = false")


def make_plan(stages: Sequence[tuple[str, Operator]], *, output: str, format: str) -> Plan:
    """The plan for these operators, each with its stage's name.

    output: the topic, "" for events only. format: what goes out, as in the settings; "keep" is that of the input.
    """
    changed = any(operator.changes_image for _, operator in stages)
    # The camera's bytes go out where nothing has changed the picture.
    reencodes = bool(output) and not changed and format not in ("jpeg", "keep")
    at = next((index for index, (_, operator) in enumerate(stages) if operator.needs != "none"), None)
    if reencodes:
        because = f"it goes out as {format}"
        return Plan(at=len(stages) if at is None else at, whole_because=because, color_because=because)
    if at is None:
        return Plan(at=None)
    readers, whole_because = _sizes(stages)
    color_because, turns_gray = _colors(stages)
    if not color_because and not turns_gray and output and _shows(stages):
        color_because = "what goes out is in colour"
    return Plan(
        at=at,
        mode="color" if color_because else "gray",
        readers=() if whole_because else readers,
        turns_gray=turns_gray and not color_because,
        whole_because=whole_because,
        color_because=color_because,
    )


def _sizes(stages: Sequence[tuple[str, Operator]]) -> tuple[tuple[ReadsAt, ...], str]:
    """The sizes at which the picture is read before another takes its place, or why that is all of it."""
    readers: list[ReadsAt] = []
    for stage, operator in stages:
        if operator.needs == "none":
            continue
        reads_at: ReadsAt | None = getattr(operator, "reads_at", None)
        if reads_at is None:
            return (), f"{stage} looks at every pixel"
        readers.append(reads_at)
        if operator.changes_image:
            break
    return tuple(readers), ""


def _colors(stages: Sequence[tuple[str, Operator]]) -> tuple[str, bool]:
    """Why it has to be in colour; and whether there comes an operator after which there is none."""
    for stage, operator in stages:
        if operator.needs == "color":
            return f"{stage} needs colour", False
        if operator.needs == "gray" and operator.changes_image:
            return "", True
    return "", False


def _shows(stages: Sequence[tuple[str, Operator]]) -> bool:
    """Whether pixels of the camera's picture are encoded."""
    return any(operator.needs != "none" and operator.changes_image for _, operator in stages)
