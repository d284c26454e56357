"""One partition of a run, from where it stands to its end, in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from confluent_kafka import KafkaException, TopicPartition

from framelane.replay.fitting import fitting
from framelane.replay.flow import OTHER, REDRIVEN, Entry, Flow, Works
from framelane.replay.memory import WarmUp, camera_to_run, find_warm_up
from framelane.replay.outlet import Lost, Outlet
from framelane.replay.places import Place, read_place
from framelane.replay.settings import Replay
from framelane.replay.stretch import StretchReader
from streams.contract.errors import BrokerUnavailable, FramelaneError, KafkaError
from streams.contract.kafka_settings import KafkaSettings

log = logging.getLogger(__name__)

COMMIT_FRAMES, COMMIT_S = 500, 1.0
_ASK_S = 10.0
_READ = 64
_WAIT_S = 0.1
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the partitions of a process have in common. failed: is told what ends the whole."""

    kafka: KafkaSettings
    replay: Replay
    works: Works
    limits: Mapping[str, int]
    failed: Callable[[FramelaneError], None]


class PartitionReplay:
    """Runs until the partition's end, or until it is stopped; what it could not commit is done again.

    over: is set when nothing more comes of it.
    """

    def __init__(self, job: Job, partition: int) -> None:
        self.partition, self.over = partition, False
        self._job, self._stop = job, threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"replay {partition}", daemon=True)

    @property
    def begun(self) -> bool:
        """Whether it was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Have it commit what is done, and end."""
        self._stop.set()

    def join(self) -> None:
        """Wait until it has ended."""
        if self.begun:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._once()
                except (Lost, BrokerUnavailable, KafkaException) as error:
                    self._tell(error)
                    self._stop.wait(_RETRY_S)
                else:
                    break
        except FramelaneError as error:
            self._job.failed(error)
        except Exception as error:
            log.exception("partition %d cannot be replayed", self.partition)
            self._job.failed(FramelaneError(f"partition {self.partition}: {type(error).__name__}: {error}"))
        finally:
            self.over = True

    def _tell(self, error: Exception) -> None:
        name = f"{self._job.replay.pipeline.input}/{self.partition}"
        if isinstance(error, Lost) and error.fenced:
            log.info("%s: another process has it: %s", name, error)
        else:
            log.warning("%s: what was not committed is done again: %s", name, error)

    def _once(self) -> None:
        replay = self._job.replay
        reader = StretchReader(self._job.kafka, replay.pipeline.input, self.partition, group=replay.group)
        with closing(reader):
            outlet = Outlet(self._job.kafka, replay, self.partition, batch_bytes=min(self._job.limits.values()))
            with closing(outlet):
                # From then on nobody else moves its place.
                outlet.open()
                place = self._place(reader)
                if not place.done:
                    _Passage(self._job, reader, outlet, place, self._stop).run(self.partition)

    def _place(self, reader: StretchReader) -> Place:
        asked = [TopicPartition(self._job.replay.pipeline.input, self.partition)]
        (found,) = reader.consumer.committed(asked, timeout=_ASK_S)
        if found.error is not None:
            raise KafkaException(found.error)
        place = read_place(found.offset, found.metadata)
        if place is None:
            raise KafkaError(
                f"group {self._job.replay.group}: its place in {asked[0].topic}/{self.partition} is gone, so the run "
                "cannot go on: begin another one with another --output"
            )
        return place


class _Passage:
    """From where the run stands to the end, with one transaction after the other."""

    def __init__(self, job: Job, reader: StretchReader, outlet: Outlet, place: Place, stop: threading.Event) -> None:
        self._job, self._reader, self._outlet, self._place, self._stop = job, reader, outlet, place, stop
        self._flow = Flow(job.works)
        self._topic = job.replay.pipeline.input
        self._expected = 0
        self._uncommitted = 0
        self._commit_at = 0.0

    def run(self, partition: int) -> None:
        """Go through it."""
        place, settings = self._place, self._job.works.pipeline.settings
        warm = self._warm_up()
        remembers = self._job.works.pipeline.has_memory or settings.max_fps > 0
        first = warm.first if warm else place.start if remembers else place.next
        if first < place.next and place.next > place.start:
            log.info("%s/%d: goes on at offset %d, as if it had never ended", self._topic, partition, place.next)
        self._reader.seek(first, place.end)
        self._expected = first
        self._commit_at = time.monotonic() + COMMIT_S
        try:
            while not self._stop.is_set() and (len(self._flow) or not self._reader.ended):
                self._read(warm)
                self._settle()
                if self._uncommitted >= COMMIT_FRAMES or time.monotonic() >= self._commit_at:
                    self._commit(partition)
            if not self._stop.is_set():
                self._check_deleted(place.end)
                place.next = place.end
                self._uncommitted += 1
            self._commit(partition)
        finally:
            self._flow.close()

    def _warm_up(self) -> WarmUp | None:
        pipeline, place, oldest = self._job.works.pipeline, self._place, self._reader.oldest()
        if not pipeline.has_memory:
            return None
        begun = place.next > place.start
        needed = place.start if place.warm is None else place.warm
        if begun and oldest > needed:
            raise KafkaError(
                f"{self._topic}: the frames from offset {needed} on, which the memories of its operators are made of, "
                f"are not retained any more (the oldest is {oldest}), so the run cannot go on as it was begun: begin "
                "another one with another --output"
            )
        found = find_warm_up(
            lambda start, end: self._reader.all(start, end, stop=self._stop),
            start=place.start,
            # The same as the first time, whatever retention has deleted before it since.
            oldest=oldest if not begun or place.warm is None else max(oldest, place.warm),
            memory_frames=pipeline.memory_frames,
            wants=self._job.works.wants,
        )
        place.warm = min(found.first, place.start) if place.warm is None else place.warm
        return found

    def _read(self, warm: WarmUp | None) -> None:
        room = min(_READ, self._flow.room)
        if not room or self._reader.ended:
            return
        for record, unreadable in self._reader.read(room, timeout_s=0 if len(self._flow) else _WAIT_S):
            if record.offset > self._expected:
                self._check_deleted(record.offset)
            self._expected = record.offset + 1
            if record.offset >= self._place.start:
                self._flow.take(record, silent=record.offset < self._place.next, unreadable=unreadable)
            elif warm is not None and unreadable is None:
                camera = camera_to_run(record, self._job.works.wants)
                if camera is not None and warm.takes(camera, record.offset):
                    self._flow.warm(record)

    def _check_deleted(self, reached: int) -> None:
        """Count what retention has deleted before it was read; other gaps, such as those of transactions, are none."""
        # What lies before its place was done, or counted, by whoever had the partition then.
        since = max(self._expected, self._place.next)
        if reached > since:
            self._place.sums.deleted += max(0, min(self._reader.oldest(), reached) - since)

    def _settle(self) -> None:
        for entry in self._flow.finished(timeout_s=_WAIT_S):
            if not entry.silent:
                self._publish(entry)

    def _publish(self, entry: Entry) -> None:
        works, sums, result = self._job.works, self._place.sums, entry.result
        assert result is not None
        result = fitting(result, entry.record, works.pipeline, self._job.limits)
        for record in result.records:
            self._outlet.put(record)
        if result.is_letter and result not in (OTHER, REDRIVEN):
            sums.letters[result.fate] = sums.letters.get(result.fate, 0) + 1
        else:
            sums.processed += result.fate == "processed"
            sums.filtered += result.fate == "filtered"
            sums.others += result is OTHER
            sums.redriven += result is REDRIVEN
            sums.events += sum(record.topic == works.pipeline.settings.events for record in result.records)
        self._place.next = entry.record.offset + 1
        self._uncommitted += 1

    def _commit(self, partition: int) -> None:
        self._commit_at = time.monotonic() + COMMIT_S
        if self._uncommitted:
            place = TopicPartition(self._topic, partition, self._place.next, metadata=self._place.note())
            self._outlet.commit(place, self._reader.consumer)
            self._uncommitted = 0
