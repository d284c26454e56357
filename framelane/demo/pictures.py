"""Keeps the last frames of each camera, raw and processed, to show both sides of one and the same."""

import threading
from collections import OrderedDict

import cv2

from consumers import Subscription, subscribe
from framelane.contact_sheet import Pair, contact_sheet
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.images import Image, encode
from streams.contract.kafka_settings import KafkaSettings

# Raw frames are kept until their processed ones come, which takes the pipeline's latency.
_KEPT = 40


class Pictures:
    """Two subscribers in threads of their own: of the topics of raw and of processed frames."""

    def __init__(self, kafka: KafkaSettings, *, raw: str, processed: str, cameras: list[str]) -> None:
        self._raw, self._processed, self._cameras = raw, processed, cameras
        self._subscriptions = {topic: subscribe(topic, kafka=kafka, cameras=cameras) for topic in (raw, processed)}
        self._kept: dict[str, dict[str, OrderedDict[str, Frame]]] = {
            topic: {camera: OrderedDict() for camera in cameras} for topic in (raw, processed)
        }
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(topic, subscription), name=f"pictures {topic}", daemon=True)
            for topic, subscription in self._subscriptions.items()
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop reading; what is kept stays."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def any_processed(self) -> bool:
        """Whether a processed frame has come out."""
        return any(self._kept[self._processed].values())

    def sheet(self, *, subtitle: str) -> bytes:
        """The contact sheet as a PNG: raw above processed, the newest frame of each camera that both are here of."""
        columns = {camera: self._pair(camera) for camera in self._cameras}
        return encode(contact_sheet(columns, subtitle=subtitle), "image/png")

    def _pair(self, camera: str) -> Pair:
        with self._lock:
            raws, processed = self._kept[self._raw][camera], self._kept[self._processed][camera]
            name = next((name for name in reversed(processed) if name in raws), None)
            if name is None:
                last = [next(reversed(kept.values()), None) for kept in (raws, processed)]
                return _image(last[0]), _image(last[1])
            return _image(raws[name]), _image(processed[name])

    def _read(self, topic: str, subscription: Subscription) -> None:
        with subscription:
            while not self._stop.is_set():
                frame = subscription.poll(0.2)
                if frame is None:
                    continue
                with self._lock:
                    kept = self._kept[topic][frame.camera_id]
                    kept[frame.name] = frame
                    if len(kept) > _KEPT:
                        kept.popitem(last=False)


def _image(frame: Frame | None) -> Image | None:
    if frame is None:
        return None
    try:
        image = frame.image
    except FrameError:
        return None
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image  # type: ignore[return-value]
