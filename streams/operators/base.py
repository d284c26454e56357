"""What an operator is: settings of a function of a frame."""

from collections.abc import Callable
from typing import Literal, Protocol

from streams.contract.frame import Frame

Opened = Callable[[Frame], Frame | None]
Needs = Literal["color", "gray", "any", "none"]


class Operator(Protocol):
    """A frozen dataclass whose fields are the operator's parameters.

    It is made once, when the settings are read: `__post_init__` refuses wrong values with
    `streams.operators.checks.ParameterError`, so that nothing starts with them. Of each frame no more is decoded than
    the operators say that they need, so what they say has to be true.

    A class may carry `version` (ClassVar[int], 1 where it is missing): raise it when the same parameters come to give
    another picture, so that the hash of the pipeline changes; where the content of files counts as well, `version` is a
    property that returns another text for another content. It may have a method `reads_at(width, height)`: the size,
    (width, height) in pixels, at which it looks at a picture of this size. It then takes its picture by
    `frame.downscaled(width, height)` alone, and what it returns for a size below the frame's is that picture, changed
    or not, or the frame as it was. Without the method it looks at every pixel. One that reads files names the
    parameters that are their paths in `files` (ClassVar[tuple[str, ...]]).
    """

    @property
    def memory_frames(self) -> int:
        """How many frames it looks back on; above 0, each camera gets an `open()` of its own. Usually a ClassVar."""

    @property
    def needs(self) -> str:
        """What it needs of the picture: "color", "gray", "any" or "none". Usually a ClassVar.

        "gray": its lightness is enough, and a picture that it returns shows no colour. "any": it does the same to each
        channel, and so makes of a gray picture what is the gray of its coloured result. "none": it never asks for it.
        """

    @property
    def changes_image(self) -> bool:
        """Whether it may return another picture. Usually a ClassVar."""

    def open(self) -> Opened:
        """The function that is called with each frame; whatever state it needs lives in it.

        With memory: called with the frames of one camera, in order, by one thread at a time. Without: one function is
        called by several threads at once. It returns the frame it was given, `frame.with_image(...)`,
        `frame.with_events(...)`, or None to filter the frame out. The picture is uint8, (H, W, 3) BGR or (H, W) gray,
        and is not its own: writing into it raises. The picture that it returns is the frame's from then on. What it
        raises sends the frame to the dead letters with its stage.
        """
