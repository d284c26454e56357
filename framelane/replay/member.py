"""One process of a run: it runs the partitions that it has, some at a time, until the whole run is done."""

import logging
import time
from collections.abc import Callable, Collection, Mapping

import cv2

from framelane.replay.begin import Run
from framelane.replay.book import RunBook
from framelane.replay.claims import Claims
from framelane.replay.flow import Works
from framelane.replay.partition import Job, PartitionReplay
from framelane.replay.places import Place
from framelane.stopping import Stop
from streams.contract.errors import BrokerUnavailable, FramelaneError
from streams.contract.kafka_settings import KafkaSettings
from streams.pipeline import Pipeline
from streams.pool import ThreadPool

log = logging.getLogger(__name__)

Moved = Callable[[Mapping[int, Place]], None]
_POLL_S, _LOOK_S = 0.1, 0.5


class Member:
    """One process. threads: frames that are processed at the same time."""

    def __init__(self, kafka: KafkaSettings, run: Run, *, threads: int) -> None:
        """Make the pipeline; FramelaneError where it cannot be opened."""
        # Frames run side by side; OpenCV's own threads would only get in each other's way.
        cv2.setNumThreads(1)
        self._kafka, self._run, self._places = kafka, run, dict(run.places)
        pipeline = Pipeline(run.replay.pipeline)
        try:
            shared = pipeline.open()
        except FramelaneError:
            raise
        except Exception as error:
            raise FramelaneError(
                f"pipeline {pipeline.label} cannot be opened: {type(error).__name__}: {error}"
            ) from error
        works = Works(
            pipeline=pipeline, shared=shared, pool=ThreadPool(threads), threads=threads, wants=run.replay.wants
        )
        self._job = Job(kafka=kafka, replay=run.replay, works=works, limits=run.limits, failed=self._fail)
        # While some wait for the broker, or for a camera's turn, the threads have work of the others.
        self._at_once = 2 * threads
        self._mine: dict[int, PartitionReplay] = {}
        self._failure: FramelaneError | None = None

    def work(self, stop: Stop, *, moved: Moved) -> None:
        """Run until every partition is done, here or elsewhere, or until it is to stop. moved: is told how far all are.

        Raises KafkaError for what waiting does not mend; a broker that is away is waited for.
        """
        claims = Claims(self._kafka, self._run.replay, taken=self._take, given_up=self._give_up)
        with RunBook(self._kafka, self._run.replay) as book, claims:
            try:
                look_at = 0.0
                while not stop.requested:
                    claims.poll(_POLL_S)
                    if self._failure is not None:
                        raise self._failure
                    if time.monotonic() >= look_at:
                        look_at = time.monotonic() + _LOOK_S
                        self._look(book)
                        moved(self._places)
                        if all(place.done for place in self._places.values()):
                            return
                    self._begin_some()
            finally:
                self._give_up(list(self._mine))
                self._look(book)
                moved(self._places)

    def _look(self, book: RunBook) -> None:
        try:
            self._places |= book.places(list(self._places))
        except BrokerUnavailable as error:
            log.warning("%s", error)

    def _take(self, partitions: Collection[int]) -> None:
        # One that the topic has got since is no part of the run.
        self._mine |= {each: PartitionReplay(self._job, each) for each in partitions if each in self._places}

    def _give_up(self, partitions: Collection[int]) -> None:
        given_up = [self._mine.pop(each) for each in partitions if each in self._mine]
        for each in given_up:
            each.stop()
        for each in given_up:
            each.join()

    def _begin_some(self) -> None:
        running = sum(each.begun and not each.over for each in self._mine.values())
        for partition, each in sorted(self._mine.items()):
            if running >= self._at_once:
                return
            if not each.begun and not self._places[partition].done:
                each.start()
                running += 1

    def _fail(self, error: FramelaneError) -> None:
        # In the thread of a partition.
        self._failure = self._failure or error
