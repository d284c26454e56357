"""A camera of our own producer beside a fault's feed, on a topic that nobody processes: does it lose anything?"""

import threading
import time
from itertools import pairwise

import figures as fig
from figures import Figure
from kafka_support import drain, unique
from topics import make_topic
from worker_support import JPEG, identity

from producers import CameraProducer, FrameProducer
from streams.contract.errors import FramelaneError
from streams.contract.kafka_settings import KafkaSettings

CAMERA = "own-camera"
FPS = 25.0
# What waits at the end, of a minute without a broker.
FLUSH_S = 60.0


class OwnCamera:
    """Publishes in a thread of its own; a context manager: at its end all is delivered, or given up.

    bootstrap: where its topic is made and read. at: where the camera finds Kafka.
    """

    def __init__(self, bootstrap: str, *, at: str = "") -> None:
        self._bootstrap, self._topic = bootstrap, unique("own")
        make_topic(bootstrap, self._topic, partitions=1)
        self._stop = threading.Event()
        kafka = KafkaSettings(bootstrap=at or bootstrap)
        self._producer = FrameProducer(kafka, status_topic=None, stop=self._stop)
        self._camera = CameraProducer(CAMERA, producer=self._producer, topic=self._topic)
        self._errors: list[FramelaneError] = []
        self._thread = threading.Thread(target=self._run, name=CAMERA)

    def __enter__(self) -> "OwnCamera":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        try:
            self._producer.close(timeout_s=FLUSH_S)
        except FramelaneError as error:
            self._errors.append(error)

    def figures(self) -> list[Figure]:
        """What became of its frames, once it has ended."""
        for error in self._errors:
            print(f"    {CAMERA}: {error}")
        sums = self._camera.sums
        names = [identity(message) for message in drain(self._bootstrap, self._topic)]
        numbers = [sequence for _, _, sequence in names]
        return [
            fig.shown("own producer: captured", sums.captured),
            fig.exactly("own producer: lost", sums.captured - len(set(names)), 0),
            fig.exactly("own producer: counted as dropped", sum(sums.dropped.values()), 0),
            fig.exactly("own producer: duplicates", len(names) - len(set(names)), 0),
            fig.exactly("own producer: out of order", sum(after < before for before, after in pairwise(numbers)), 0),
            fig.exactly("own producer: errors", len(self._errors), 0),
        ]

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += 1 / FPS
            try:
                self._camera.publish(JPEG)
            except FramelaneError as error:
                self._errors.append(error)
