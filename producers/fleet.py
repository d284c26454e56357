"""Many cameras on one connection to Kafka: a supervised reader each, so that one that fails disturbs no other."""

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from producers.camera_opening import Opening, open_camera
from producers.camera_producer import CameraProducer
from producers.cameras_file import CameraSettings
from producers.frame_producer import FrameProducer
from producers.sources import open_source
from producers.supervised import SupervisedCamera
from streams.contract.errors import ClientFailed, FramelaneError
from streams.contract.status import CameraSums
from streams.contract.topics import RAW

logger = logging.getLogger(__name__)
# How long cameras are waited for at the end: their sources have to be closed.
LEAVE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a new list of cameras has changed; ids in the list's order."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    def __str__(self) -> str:
        kinds = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        return "; ".join(f"{word} {', '.join(ids)}" for word, ids in kinds if ids) or "nothing has changed"


class CameraFleet:
    """Runs the cameras that it is told of, each in a thread; its methods are for one thread.

    A camera that cannot be opened is tried again for as long as it takes; so is one whose frames Kafka refuses.
    """

    def __init__(
        self,
        connection: FrameProducer,
        *,
        topic: str = RAW,
        environ: Mapping[str, str] = os.environ,
        opening: Opening = open_source,
    ) -> None:
        """topic: of the cameras that name none. environ: where secrets may be. opening: how a source is opened."""
        self._connection, self._topic, self._environ, self._opening = connection, topic, environ, opening
        self._cameras: dict[str, SupervisedCamera] = {}
        # Those that were taken out, or replaced.
        self._former: list[SupervisedCamera] = []
        self._producers: dict[str, CameraProducer] = {}
        # By camera: what its sources leave to those after them, also when its settings change.
        self._memories: defaultdict[str, dict[str, object]] = defaultdict(dict)

    @property
    def ended(self) -> bool:
        """Whether every camera has come to its end: files do, and cameras with a wrong setting."""
        return all(camera.ended for camera in self._cameras.values())

    @property
    def client_failure(self) -> ClientFailed | None:
        """What the whole process must end for, as Kafka's client cannot go on."""
        return next((camera.client_failure for camera in self._cameras.values() if camera.client_failure), None)

    @property
    def failures(self) -> dict[str, FramelaneError]:
        """The cameras that have ended for a reason that has to be mended, and the reason."""
        return {name: camera.failure for name, camera in self._cameras.items() if camera.failure is not None}

    @property
    def sums(self) -> dict[str, CameraSums]:
        """What became of the frames of each camera that has been here."""
        return {name: producer.sums for name, producer in self._producers.items()}

    @property
    def lost_of_files(self) -> dict[str, dict[str, int]]:
        """What was dropped, by reason, of the cameras that are none but files, and so could have waited."""
        return {name: camera.lost for name, camera in self._cameras.items() if camera.lost}

    def apply(self, cameras: Sequence[CameraSettings]) -> Changes:
        """Have these cameras run: new ones are started, changed ones begin a new epoch, the others are stopped."""
        wanted = {camera.id: camera for camera in cameras}
        before = {name: camera.settings for name, camera in self._cameras.items()}
        changes = Changes(
            added=[name for name in wanted if name not in before],
            changed=[name for name in wanted if name in before and wanted[name] != before[name]],
            removed=[name for name in before if name not in wanted],
        )
        for name in (*changes.removed, *changes.changed):
            camera = self._cameras.pop(name)
            camera.stop.set()
            self._former.append(camera)
            self._connection.forget(name)
        for name in (*changes.added, *changes.changed):
            self._start(wanted[name])
        self._cameras = {name: self._cameras[name] for name in wanted}
        return changes

    def close(self, *, timeout_s: float = LEAVE_S) -> None:
        """Stop every camera, and wait for them; the connection then still has to deliver what they gave."""
        all_ = [*self._former, *self._cameras.values()]
        for camera in all_:
            camera.stop.set()
        deadline = time.monotonic() + timeout_s
        for camera in all_:
            if not camera.ended:
                camera.thread.join(max(0.0, deadline - time.monotonic()))
        left = [camera.settings.id for camera in all_ if not camera.ended]
        if left:
            logger.warning("left, as they hang in what they read: %s", ", ".join(left))

    def _start(self, settings: CameraSettings) -> None:
        stop = threading.Event()
        producer = self._producer_of(settings, stop)
        self._former = [camera for camera in self._former if not camera.ended]

        camera = SupervisedCamera(
            settings,
            producer,
            lambda: open_camera(
                settings,
                self._opening,
                stop=stop,
                clock=self._connection.clock,
                memory=self._memories[settings.id],
                environ=self._environ,
            ),
            stop=stop,
            before=[camera.thread for camera in self._former if camera.settings.id == settings.id],
        )
        self._cameras[settings.id] = camera
        camera.start()

    def _producer_of(self, settings: CameraSettings, stop: threading.Event) -> CameraProducer:
        """The camera's producer; of an id that was here before, it sends what that one has left before its own."""
        keys = settings.keys
        topic = keys.topic or self._topic
        before = self._producers.get(settings.id)
        producer = CameraProducer(
            settings.id,
            producer=self._connection,
            topic=topic,
            # Until its source is open, and says what suits it.
            policy=settings.policy or (before.policy if before else "block"),
            buffer_bytes=settings.buffer_bytes,
            fit=keys.fit,
            stop=stop,
        )
        producer.tolerate_missing_topic()
        producer.tolerate_too_large()
        producer.told(state="opening", source=settings.address.name, topic=topic)
        self._producers[settings.id] = producer
        return producer
