"""Records as events, each once."""

import msgspec

from consumers.horizon import Horizon
from consumers.intake import NO_RECEIPT, Intake
from consumers.metadata import event_fields
from consumers.progress import Progress
from consumers.received import ReceivedEvent
from consumers.seen import SeenNames
from consumers.settings import SubscriptionSettings
from streams.contract.errors import FrameError
from streams.contract.events import EventRecord, decode_event
from streams.contract.headers import Record
from streams.contract.identity import is_camera_id


class EventIntake(Intake[ReceivedEvent]):
    """Events, by `ce_source` and `ce_id`; one without these headers is named by its place."""

    def __init__(self, settings: SubscriptionSettings, *, horizon: Horizon | None) -> None:
        super().__init__(settings, horizon=horizon)
        self._seen = SeenNames()

    def _remember(self, record: Record) -> None:
        self._seen.add(*_identity(record))

    def _admit(self, record: Record, progress: Progress | None) -> ReceivedEvent | None:
        try:
            event = decode_event(record.value or b"")
            _check(event)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            self._refuse("bad_event", error, record.place)
            return None
        source, name = _identity(record)
        sums = self.tally.of(event.camera_id)
        again = progress is not None and progress.was_open(record.offset)
        if not self._seen.add(source, name) and not again:
            sums.duplicates += 1
            return None
        sums.frames += 1
        redelivered = again or (progress is not None and record.offset < progress.upto)
        sums.redelivered += redelivered
        return ReceivedEvent(
            **event_fields(event),
            name=name,
            source=source,
            place=record.place,
            receipt=NO_RECEIPT if progress is None else progress.receipt(record.offset),
            redelivered=redelivered,
        )


def _check(event: EventRecord) -> None:
    """ValueError for what nobody could write into a file name or a date."""
    if not is_camera_id(event.camera_id):
        raise ValueError(f"{event.camera_id[:40]!r} is no camera id")
    if not 0 <= event.captured_at_ns < 2**63:
        raise ValueError(f"captured_at_ns {event.captured_at_ns} lies outside the years 1970 to 2262")


def _identity(record: Record) -> tuple[str, str]:
    named = {name: value for name, value in record.headers if name in ("ce_source", "ce_id") and value is not None}
    try:
        source, name = (named.get(each, b"").decode() for each in ("ce_source", "ce_id"))
    except UnicodeDecodeError as error:
        raise FrameError("ce_source or ce_id is not UTF-8", reason="bad_headers", stage="headers") from error
    return source, name or record.place
