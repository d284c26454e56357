"""Records as frames, each once."""

from functools import partial

from consumers.horizon import Horizon
from consumers.intake import NO_RECEIPT, Intake
from consumers.progress import Progress
from consumers.received import Gap, Receipt, ReceivedFrame
from consumers.seen import SeenFrames
from consumers.settings import SubscriptionSettings
from streams.contract.headers import Record, to_frame


class FrameIntake(Intake[ReceivedFrame]):
    """Frames, by the identity that their headers give them."""

    def __init__(self, settings: SubscriptionSettings, *, horizon: Horizon | None) -> None:
        super().__init__(settings, horizon=horizon)
        self._seen = SeenFrames()
        self._make = partial(ReceivedFrame, gray=settings.gray)
        self._size = settings.size
        self._tells_gaps = not settings.freshest

    def _remember(self, record: Record) -> None:
        self._seen.add(to_frame(record))

    def _admit(self, record: Record, progress: Progress | None) -> ReceivedFrame | None:
        receipt: Receipt = NO_RECEIPT
        redelivered = again = False
        if progress is not None:
            receipt = progress.receipt(record.offset)
            again = progress.was_open(record.offset)
            redelivered = again or record.offset < progress.upto
        # All at once: to change it afterwards takes as long as half of the reading.
        make = partial(self._make, place=record.place, receipt=receipt, redelivered=redelivered)
        frame = to_frame(record, make=make)
        sums = self.tally.of(frame.camera_id)
        new, missing, highest = self._seen.add(frame)
        # The sequences of an epoch "@topic-partition" are offsets, which other cameras share.
        if not self._tells_gaps or frame.epoch.startswith("@"):
            missing = 0
        sums.missing += missing
        if not new and not again:
            sums.duplicates += 1
            return None
        sums.frames += 1
        sums.redelivered += redelivered
        if missing > 0 and 0 <= highest < frame.sequence:
            frame = frame.changed(gap=Gap(epoch=frame.epoch, first=highest + 1, last=frame.sequence - 1))
        return frame.fitted(*self._size) if self._size else frame
