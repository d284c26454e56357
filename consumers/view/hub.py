"""What comes from the topics, and who wants it."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from consumers.base_subscription import BaseSubscription
from consumers.received import ReceivedEvent, ReceivedFrame
from consumers.settings import SubscriptionSettings
from consumers.statuses import Statuses
from consumers.subscription import EventSubscription, Subscription
from consumers.view.client import Client, Frames
from consumers.view.feed import Feed
from consumers.view.figures import CameraFigures, CameraWatch
from consumers.view.protocol import cameras_message, event_message
from consumers.view.raw_frames import RawFrames
from consumers.view.scaling import Scaler
from consumers.view.settings import ViewSettings

TICK_S = 1.0
# So that a page shows something at once, also of a slow camera.
_SINCE_NS = 10_000_000_000
# After nobody wants raw frames any more: who looks through the cameras wants those of the next one.
_RAW_LINGERS_S = 10.0


class Live:
    """The newest frame of each camera, for any number of clients; raw frames only while somebody wants them.

    The topics are read in threads; all else happens in the event loop's thread. now_ns: the clock, ns since 1970.
    """

    def __init__(self, settings: ViewSettings, statuses: Statuses, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.settings, self._statuses, self.now_ns = settings, statuses, now_ns
        self.scaler = Scaler()
        self.clients: set[Client] = set()
        self.raw_frames = RawFrames()
        self._watches: dict[str, CameraWatch] = {}
        self._newest: dict[tuple[str, str], ReceivedFrame] = {}
        self._raw_wanted_until = 0.0
        self._lock = threading.Lock()
        self._arrived: list[ReceivedFrame | ReceivedEvent] = []
        self._arrived_raw: list[ReceivedFrame] = []
        self._scheduled = False
        # Set, and replaced, whenever something has come.
        self._news = asyncio.Event()
        self._processed = Feed(settings.processed, self._frames_of(settings.processed, freshest=True), self._take)
        self._events = Feed(settings.events, self._events_of(settings.events), self._take)
        # All of them, or the one that belongs to the processed one may be among those left out.
        self._raw = Feed(settings.raw, self._frames_of(settings.raw, freshest=False), self._take_raw)

    async def start(self) -> None:
        """Begin to read."""
        self._loop = asyncio.get_running_loop()
        self._statuses.start()
        self._processed.start()
        self._events.start()
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Leave the broker."""
        self._ticking.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticking
        for feed in (self._processed, self._events, self._raw):
            # Its thread is a daemon's: a broker that is away holds up nobody who leaves.
            feed.stop()
        await asyncio.to_thread(self._statuses.stop)
        self.scaler.close()

    def let_go(self) -> None:
        """End all that watch: a server waits for them before it stops."""
        for client in self.clients:
            client.leave()

    def latest(self, camera: str, kind: str = "processed") -> ReceivedFrame | None:
        """The newest frame of a camera, "processed" or "raw"; None where none has come (yet).

        To ask for a raw one begins to read them: ask again a little later.
        """
        if kind == "raw":
            self._raw_wanted_until = time.monotonic() + _RAW_LINGERS_S
            self._read_raw()
        return self._newest.get((kind, camera))

    def partition_of(self, camera: str) -> int | None:
        """The partition that the newest processed frame of a camera lies in, if one has come; in any thread."""
        frame = self._newest.get(("processed", camera))
        return None if frame is None else int(frame.place.split("/")[1])

    async def next_after(self, camera: str, kind: str, after: ReceivedFrame | None) -> ReceivedFrame:
        """The newest frame of a camera, as soon as it is another than `after`."""
        while True:
            news = self._news
            frame = self.latest(camera, kind)
            if frame is not None and frame is not after:
                return frame
            await news.wait()

    def cameras(self) -> list[CameraFigures]:
        """How the cameras are doing, by name."""
        rows, now_ns = self._statuses.cameras(), self.now_ns()
        names = sorted(self._watches.keys() | rows.keys())
        return [self._watch(name).figures(rows.get(name), now_ns) for name in names]

    def problems(self) -> list[str]:
        """What is in the way, each with the mend."""
        return [feed.problem for feed in (self._processed, self._events, self._raw) if feed.problem]

    def watched(self) -> None:
        """A client watches something else now."""
        if any(wish.raw for client in self.clients for wish in client.wishes.values()):
            self._raw_wanted_until = time.monotonic() + _RAW_LINGERS_S
            self._read_raw()

    def show_newest(self, client: Client) -> None:
        """Offer a client what there is already of the cameras that it watches."""
        for camera in client.wishes:
            frame = self._newest.get(("processed", camera))
            if frame is not None:
                client.offer(camera, self._frames(client, frame))

    def _read_raw(self) -> None:
        if not self._raw.running:
            self._raw.start()

    def _frames_of(self, topic: str, *, freshest: bool) -> Callable[[threading.Event], BaseSubscription[ReceivedFrame]]:
        def subscription(ended: threading.Event) -> Subscription:
            since_ns = self.now_ns() - _SINCE_NS if freshest else None
            settings = SubscriptionSettings(
                kafka=self.settings.kafka, topic=topic, freshest=freshest, since_ns=since_ns
            )
            return Subscription(settings, ended=ended)

        return subscription

    def _events_of(self, topic: str) -> Callable[[threading.Event], BaseSubscription[ReceivedEvent]]:
        settings = SubscriptionSettings(kafka=self.settings.kafka, topic=topic)
        return lambda ended: EventSubscription(settings, ended=ended)

    def _take(self, item: ReceivedFrame | ReceivedEvent) -> None:
        with self._lock:
            self._arrived.append(item)
            self._schedule()

    def _take_raw(self, frame: ReceivedFrame) -> None:
        with self._lock:
            self._arrived_raw.append(frame)
            self._schedule()

    def _schedule(self) -> None:
        """One call of the loop for all that comes until it is made: a wake-up costs more than a frame."""
        if not self._scheduled:
            self._scheduled = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._distribute)

    def _distribute(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, []
            raw, self._arrived_raw = self._arrived_raw, []
            self._scheduled = False
        for frame in raw:
            self._newest["raw", frame.camera_id] = frame
            self.raw_frames.add(frame)
        for item in arrived:
            if isinstance(item, ReceivedFrame):
                self._frame(item)
            else:
                self._event(item)
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _frame(self, frame: ReceivedFrame) -> None:
        camera = frame.camera_id
        self._watch(camera).note(frame, self.now_ns())
        self._newest["processed", camera] = frame
        for client in self.clients:
            if camera in client.wishes:
                client.offer(camera, self._frames(client, frame))

    def _frames(self, client: Client, frame: ReceivedFrame) -> Frames:
        raw = self.raw_frames.of(frame) if client.wishes[frame.camera_id].raw else None
        return (("processed", frame),) if raw is None else (("raw", raw), ("processed", frame))

    def _event(self, event: ReceivedEvent) -> None:
        text = ""
        for client in self.clients:
            if event.camera_id in client.wishes:
                text = text or event_message(event)
                client.tell(text)

    def _watch(self, camera: str) -> CameraWatch:
        watch = self._watches.get(camera)
        if watch is None:
            watch = self._watches[camera] = CameraWatch(camera)
        return watch

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.watched()
            if self._raw.running and time.monotonic() > self._raw_wanted_until:
                self._raw.stop()
                self.raw_frames.clear()
                self._newest = {key: frame for key, frame in self._newest.items() if key[0] != "raw"}
            now_ns = self.now_ns()
            for camera, watch in self._watches.items():
                watch.tick(self._count(camera), now_ns)
            if self.clients:
                text = cameras_message(self.cameras(), self.problems())
                for client in self.clients:
                    client.show(text)

    def _count(self, camera: str) -> int:
        subscription = self._processed.subscription
        sums = subscription.sums.get(camera) if subscription is not None else None
        return sums.frames + sums.skipped if sums is not None else 0
