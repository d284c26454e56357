"""The newest record of each camera, for screens: what is older and was not asked for in time is left out."""

from collections import deque
from collections.abc import Callable

from confluent_kafka import Consumer, Message

from consumers.progress import Progress
from consumers.tally import Tally
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import FrameError
from streams.contract.identity import is_camera_id
from streams.contract.records import to_record

_BATCH = 500
# What a screen waits for at most while it catches up.
_MAX_BATCHES = 40

Fetched = tuple[Message, Progress | None]
ProgressOf = Callable[[Message], Progress | None]


class Newest:
    """Takes all that is there, and hands out the newest of each camera; the camera that waits longest comes first."""

    def __init__(self, tally: Tally, cameras: CameraGlobs) -> None:
        self._tally, self._cameras = tally, cameras
        # Errors, what is no camera's, and what is only to be remembered.
        self._others: deque[Fetched] = deque()
        self._held: dict[str, Fetched] = {}

    def __len__(self) -> int:
        return len(self._held) + len(self._others)

    def fetch(self, consumer: Consumer, timeout_s: float, progress_of: ProgressOf) -> Fetched | None:
        """The next one, or None when there is none within that time."""
        if not self._others:
            self._drain(consumer, progress_of)
        if not self:
            message = consumer.poll(timeout_s)
            if message is None:
                return None
            self._take(message, progress_of)
            self._drain(consumer, progress_of)
        if self._others:
            return self._others.popleft()
        return self._held.pop(next(iter(self._held)))

    def forget(self, partitions: set[int]) -> None:
        """These partitions are somebody else's now."""
        self._held = {camera: each for camera, each in self._held.items() if each[0].partition() not in partitions}
        self._others = deque(each for each in self._others if each[1] is None or each[0].partition() not in partitions)

    def _drain(self, consumer: Consumer, progress_of: ProgressOf) -> None:
        for _ in range(_MAX_BATCHES):
            messages = consumer.consume(_BATCH, 0)
            for message in messages:
                self._take(message, progress_of)
            # An error may be the end of this very client.
            if not messages or self._others:
                return

    def _take(self, message: Message, progress_of: ProgressOf) -> None:
        offset, camera = message.offset() or 0, (message.key() or b"").decode(errors="replace")
        progress = None if message.error() is not None else progress_of(message)
        wanted = message.error() is None and is_camera_id(camera) and self._cameras.match(camera)
        if not wanted or (progress is not None and offset < progress.resume):
            self._others.append((message, progress))
            return
        if progress is not None:
            progress.hold(offset, message.timestamp()[1])
        held = self._held.pop(camera, None)
        # A frame that was sent again may be older than what is there.
        if held is not None and _captured_ns(held[0]) > _captured_ns(message):
            (message, progress), held = held, (message, progress)
        self._held[camera] = (message, progress)
        if held is not None:
            older, progress = held
            if progress is not None:
                progress.passed(older.offset() or 0)
            self._tally.of(camera).skipped += 1


def _captured_ns(message: Message) -> int:
    try:
        for name, value in to_record(message).headers:
            if name == "ce_capturedns":
                return int(value or b"")
    except (FrameError, ValueError):
        # The intake says what is wrong with it.
        return 0
    return message.timestamp()[1] * 1_000_000
