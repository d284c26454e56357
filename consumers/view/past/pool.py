"""Who may read the past, and how much at once: a few threads with a client each, a short queue, and a time to end."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confluent_kafka import Consumer

from consumers.view.past.problems import Busy
from consumers.view.past.reader import Budget, TopicReader, open_reader
from streams.contract.kafka_settings import KafkaSettings

T = TypeVar("T")
Open = Callable[[str], TopicReader]

THREADS = 4
REQUEST_S = 8.0
MOST_WAITING = 32
# Of one address: a page asks for the film ahead, its events, marks and a raw picture.
MOST_EACH = 8


class Pool:
    """Runs calls that read topics, in threads."""

    def __init__(self, kafka: KafkaSettings, *, threads: int = THREADS, request_s: float = REQUEST_S) -> None:
        self._kafka, self._request_s = kafka, request_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="view past")
        self._own = threading.local()
        self._consumers: list[Consumer] = []
        self._stopping = threading.Event()
        self._asked: Counter[str] = Counter()

    async def run(self, address: str, call: Callable[[Open], T]) -> T:
        """The call's result; it gets a function that opens a topic. Raises Busy, and what the call raises."""
        if self._asked.total() >= MOST_WAITING or self._asked[address] >= MOST_EACH:
            raise Busy("too many requests for the past at once; try again in a second")
        budget = Budget(time.monotonic() + self._request_s, self._stopping)
        self._asked[address] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, call, budget)
        finally:
            self._asked[address] -= 1
            self._asked += Counter()

    def close(self) -> None:
        """End what runs, and leave the broker."""
        self._stopping.set()
        self._threads.shutdown(cancel_futures=True)
        for consumer in self._consumers:
            consumer.close()

    def _call(self, call: Callable[[Open], T], budget: Budget) -> T:
        # The time that it has waited counts, too.
        _ = budget.left_s
        consumer: Consumer | None = getattr(self._own, "consumer", None)
        if consumer is None:
            consumer = self._own.consumer = open_reader(self._kafka)
            self._consumers.append(consumer)
        client = consumer
        return call(lambda topic: TopicReader(client, self._kafka, topic, budget))
