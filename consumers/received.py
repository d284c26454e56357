"""What a subscription hands out: a frame or an event, with where it came from and a way to say that it is done with."""

from typing import Protocol, Self

import msgspec
import numpy as np

from streams.contract.events import EventRecord
from streams.contract.frame import Frame, compose
from streams.contract.images import Image, Scale, decode, shrink


class Receipt(Protocol):
    """Says that what was handed out is done with; holds no picture, so it may be kept for as long as needed."""

    def done(self) -> None:
        """A group does not read it again. May be called in any thread, and more than once."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Frames that did not come: the sequences first to last, both included, of this epoch.

    They may come later (a frame that was sent again); a pipeline that filters leaves gaps, too.
    """

    epoch: str
    first: int
    last: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.last - self.first + 1


class ReceivedFrame(Frame, frozen=True, kw_only=True, eq=False):
    """A frame as a subscription hands it out.

    place: `topic/partition/offset`. gap: what is missing between this frame and the one before of its epoch.
    redelivered: whoever read for this group before ended without saying how far; it may have had this frame already.
    gray: `image` is (H, W), decoded so.
    """

    place: str
    receipt: Receipt
    redelivered: bool = False
    gap: Gap | None = None
    gray: bool = False

    def done(self) -> None:
        """With `ack="manual"`: this frame is done with. A group resumes behind all that is done without a break."""
        self.receipt.done()

    @property
    def image(self) -> Image:
        """The picture, decoded when first asked for: uint8, (height, width, 3) BGR, or (height, width) where gray.

        As `subscribe(decode=...)` has it, and no more is decoded than that takes. Do not write into it. Raises
        FrameError when the bytes are not an image.
        """
        if self._image is None and self.header is not None:
            image = decode(self.data, mode="gray" if self.gray else "color", scale=self._scale(), header=self.header)
            image = shrink(image, self.width, self.height)
            image.flags.writeable = False
            msgspec.structs.force_setattr(self, "_image", image)
        return super().image

    def fitted(self, width: int, height: int) -> Self:
        """The same frame whose `image` is no larger than this, in pixels, its aspect ratio kept; `data` stays."""
        scale = min(1.0, width / self.width, height / self.height)
        if scale == 1.0:
            return self
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        back = np.array([[self.width / size[0], 0.0, 0.0], [0.0, self.height / size[1], 0.0]])
        return self.changed(width=size[0], height=size[1], to_raw=compose(self.to_raw, back))

    def _scale(self) -> Scale:
        assert self.header is not None
        width, height = self.header.upright
        scales: tuple[Scale, ...] = (8, 4, 2)
        return next((each for each in scales if width >= each * self.width and height >= each * self.height), 1)


class ReceivedEvent(EventRecord, frozen=True, kw_only=True):
    """An event as a subscription hands it out: EventRecord, and what is said of it outside its value.

    name: `ce_id`, which with source (`ce_source`) is its identity. place, redelivered, done: as of ReceivedFrame.
    """

    name: str
    source: str
    place: str
    receipt: Receipt
    redelivered: bool = False

    def done(self) -> None:
        """As of ReceivedFrame."""
        self.receipt.done()
