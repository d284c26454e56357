"""A subscriber that notes how old frames are when they reach it."""

import threading
import time
from types import TracebackType
from typing import Self

from confluent_kafka import TopicPartition

from benchmarks.processes import Contender
from benchmarks.reading import headers_of, open_reader
from streams.contract.errors import FramelaneError, KafkaError


class AgeReader:
    """Reads a topic in a thread of its own, from its beginning, until the `with` block ends.

    ages: (captured, age) of each record in the order of arrival; ns since 1970, and ms from capture to here.
    names: `ce_id` of each record.
    """

    def __init__(self, bootstrap: str, topic: str, *, partitions: int) -> None:
        self.ages: list[tuple[int, float]] = []
        self.names: set[str] = set()
        self._consumer = open_reader(bootstrap)
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        self._topic, self._trouble = topic, ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ages of {topic}", daemon=True)

    def between(self, start_ns: int, end_ns: int) -> list[float]:
        """Ages in ms of the frames that were captured from the one time to the other, ns since 1970."""
        return [age for captured, age in self.ages.copy() if start_ns <= captured < end_ns]

    def wait_until(self, captured_ns: int, *, worker: Contender, timeout_s: float) -> None:
        """Wait for a frame that was captured then or later; FramelaneError when there is none in time."""
        give_up = time.monotonic() + timeout_s
        while not self.ages or self.ages[-1][0] < captured_ns:
            worker.check()
            if self._trouble:
                raise KafkaError(f"topic {self._topic}: cannot be read: {self._trouble}")
            if time.monotonic() > give_up:
                raise FramelaneError(f"{worker.name}: what was captured {timeout_s:g} s ago has not come out yet")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            message = self._consumer.poll(0.2)
            if message is None:
                continue
            now, error = time.time_ns(), message.error()
            if error is not None:
                self._trouble = error.str()
                return
            headers = headers_of(message)
            captured = int(headers["ce_capturedns"])
            self.ages.append((captured, (now - captured) / 1e6))
            self.names.add(headers["ce_id"])
