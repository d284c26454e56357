"""A group's places on the partitions that are ours: read at the assignment, written as frames are done with."""

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.failures import Failures
from consumers.offsets import bounds_of, offsets_at, starts_at
from consumers.progress import PlaceNote, Progress, read_note
from consumers.settings import SubscriptionSettings
from streams.contract.errors import KafkaError

# At most so many records of a partition are read again to know what was seen.
WINDOW_RECORDS = 2000
_LOOKUP_S = 5.0
_ASK_S = 1.0
# The client's own waiting for a commit has no limit that Ctrl-C would live with.
_CONFIRM_S = 10.0


class GroupPlaces:
    """Writes with each place up to where frames may have been handed out, so that the next reader can mark them.

    A frame is handed out only once the broker knows that it may have been (`reserve`), which happens in passing: at
    each commit, for about as many as two commits' time brings.
    """

    def __init__(self, settings: SubscriptionSettings, *, failures: Failures) -> None:
        self._settings, self._failures = settings, failures
        # Set once it is made, which needs `on_commit`.
        self.consumer: Consumer
        self._partitions: dict[int, Progress] = {}
        # Of those that were given up: what was handed out and is not done with may come back.
        self._before: dict[int, Progress] = {}
        self._commit_at = time.monotonic()

    def assigned(self, partitions: Iterable[int]) -> list[TopicPartition]:
        """Find out where each begins; returns where to read from. Raises KafkaException."""
        wanted = list(partitions)
        found = self._find(wanted)
        self._partitions.update(found)
        return [TopicPartition(self._settings.topic, partition, found[partition].next) for partition in wanted]

    def revoked(self, partitions: Iterable[int]) -> None:
        """Write their places for the last time, and forget them."""
        self._write(self._give_up(partitions), more=False)

    def lost(self, partitions: Iterable[int]) -> None:
        """Forget them: somebody else has them already."""
        self._give_up(partitions)

    def of(self, partition: int, offset: int) -> Progress:
        """The progress of a partition from which a record was read; a new one where it begins anew from there."""
        progress = self._partitions.get(partition)
        if progress is None or offset < progress.next:
            # Not known how far it was read (the lookup failed), or its topic was made again.
            before = progress or self._before.get(partition)
            progress = self._partitions[partition] = Progress(start=offset, resume=offset, before=before)
        return progress

    def reserve(self, progress: Progress, offset: int) -> bool:
        """See that the broker knows that this record may have been handed out; False when that is not so yet."""
        asks, waits = progress.needs(offset)
        mine = {partition: each for partition, each in self._partitions.items() if each is progress}
        if asks or progress.written is None:
            self._write(mine, more=True)
        return not waits or self._confirm(mine)

    def on_commit(self, error: ClientError | None, places: list[TopicPartition]) -> None:
        """The broker has these places, or not; the client's callback, called from within its own calls."""
        for each in places:
            progress = self._partitions.get(each.partition)
            if progress is None or each.metadata is None:
                continue
            place, wrong = (each.offset, each.metadata), error or each.error
            if wrong is None:
                progress.has(place)
                continue
            self._failures.note(wrong)
            if progress.written == place:
                # To be written again, even if nothing changes meanwhile.
                progress.written = None

    def write_in_passing(self, now: float) -> None:
        """Write what has changed, when it is time; a failure is mended the next time. now: of the monotonic clock."""
        interval_s = self._settings.commit_interval_s
        if interval_s is not None and now >= self._commit_at:
            self._commit_at = now + interval_s
            self.write()

    def write(self) -> None:
        """Write all places that have changed."""
        self._write(self._partitions, more=True)

    def write_and_wait(self) -> None:
        """Write all places; KafkaError when the broker has not confirmed them within ten seconds."""
        give_up = time.monotonic() + _CONFIRM_S
        self.write()
        while not self._confirm(self._partitions):
            self._failures.check()
            if time.monotonic() > give_up:
                raise KafkaError(
                    f"group {self._settings.group!r}: its place on topic {self._settings.topic!r} cannot be written at "
                    f"{self._settings.kafka.bootstrap}; the frames since it was last written will come again"
                )
            self._write(self._partitions, more=True, again=True)

    def write_at_the_end(self) -> None:
        """Write all places for the last time: nothing more is handed out."""
        self._write(self._partitions, more=False)

    def _give_up(self, partitions: Iterable[int]) -> dict[int, Progress]:
        gone = {partition: self._partitions.pop(partition) for partition in partitions if partition in self._partitions}
        self._before.update(gone)
        return gone

    def _write(self, partitions: Mapping[int, Progress], *, more: bool, again: bool = False) -> None:
        offsets, now = [], time.monotonic()
        for partition, progress in partitions.items():
            place = progress.note(more=more)
            if place != progress.written or again:
                progress.wrote(place, now)
                offsets.append(TopicPartition(self._settings.topic, partition, place[0], metadata=place[1]))
        if not offsets:
            return
        try:
            self.consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            for each in offsets:
                partitions[each.partition].written = None
            self._failures.note(error.args[0])

    def _confirm(self, partitions: Mapping[int, Progress]) -> bool:
        """Whether the broker has what was written last; it answers in the order in which it was asked."""
        asked = [
            TopicPartition(self._settings.topic, each) for each, progress in partitions.items() if progress.written
        ]
        if not asked:
            return not partitions
        try:
            found = self.consumer.committed(asked, timeout=_ASK_S)
        except KafkaException as error:
            self._failures.note(error.args[0])
            return False
        confirmed = len(asked) == len(partitions)
        for each in found:
            progress = partitions[each.partition]
            if each.error is None and progress.written == (each.offset, each.metadata):
                progress.has(progress.written)
            else:
                confirmed, progress.written = False, None
        return confirmed

    def _find(self, partitions: list[int]) -> dict[int, Progress]:
        found: dict[int, Progress] = {}
        fresh = []
        for each in self._committed(partitions):
            if each.offset < 0:
                fresh.append(each.partition)
                continue
            note, before = read_note(each.metadata), self._before.get(each.partition)
            try:
                start, resume = self._where(each, note)
            except KafkaException as error:
                # One that has no leader just now: what was seen of it is not known, but all else is.
                self._failures.note(error.args[0])
                start = resume = each.offset
            found[each.partition] = Progress(
                start=start, resume=resume, upto=note.upto, at_ms=note.at_ms, before=before
            )
        for partition, start in self._fresh_starts(fresh).items():
            found[partition] = Progress(start=start, resume=start, before=self._before.get(partition))
        return found

    def _committed(self, partitions: list[int]) -> list[TopicPartition]:
        asked = [TopicPartition(self._settings.topic, each) for each in partitions]
        committed = self.consumer.committed(asked, timeout=_LOOKUP_S)
        for each in committed:
            if each.error is not None:
                raise KafkaException(each.error)
        return committed

    def _where(self, place: TopicPartition, note: PlaceNote) -> tuple[int, int]:
        """Where to begin to read, and where to begin to hand out. Raises KafkaException."""
        low, end = self._bounds(place.partition)
        window_ms = round(self._settings.dedupe_window_s * 1000)
        if place.offset > end:
            # The topic was made again, or has lost its end.
            start = self._at(place.partition, note.at_ms, end) if note.at_ms else low
            return start, start
        resume = max(place.offset, low)
        start = max(low, resume - WINDOW_RECORDS)
        if not window_ms:
            start = resume
        elif note.at_ms:
            start = max(start, self._at(place.partition, max(0, note.at_ms - window_ms), resume))
        return min(start, resume), resume

    def _at(self, partition: int, at_ms: int, otherwise: int) -> int:
        """The first offset of that time (ms since 1970) or later; `otherwise` when there is none."""
        found = offsets_at(self.consumer, self._settings.topic, [partition], at_ms=at_ms, timeout_s=_LOOKUP_S)
        return found.get(partition, otherwise)

    def _fresh_starts(self, partitions: list[int]) -> dict[int, int]:
        """Where the group has no place: from `since`, or with the oldest."""
        if self._settings.since_ns is None:
            return {each: self._bounds(each)[0] for each in partitions}
        topic, since_ns = self._settings.topic, self._settings.since_ns
        starts = starts_at(self.consumer, topic, partitions, since_ns=since_ns, timeout_s=_LOOKUP_S)
        return {each.partition: each.offset for each in starts}

    def _bounds(self, partition: int) -> tuple[int, int]:
        return bounds_of(self.consumer, self._settings.topic, partition, timeout_s=_LOOKUP_S)
