"""What the producers' tests need: a video, a folder of images, a clock that moves when told, an MJPEG camera."""

import http.server
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from confluent_kafka import Message

from producers.scene import Scene
from streams.contract.frame import Frame, Headers
from streams.contract.headers import Record, to_frame
from streams.contract.images import Image, encode

VIDEO_CAMERA = "in-the-file"


def scene_images(count: int, *, camera_id: str = VIDEO_CAMERA, size: tuple[int, int] = (320, 240)) -> list[Image]:
    """Stamped pictures with the numbers 0, 1, 2 ..."""
    scene = Scene(camera_id, size=size, fps=15.0, seed=1)
    return [scene.draw(number) for number in range(count)]


def write_video(path: Path, images: Sequence[Image], *, fps: float = 15.0, codec: str = "mp4v") -> Path:
    """A video of these pictures."""
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (width, height))
    assert writer.isOpened(), f"this OpenCV cannot write {codec}"
    for image in images:
        writer.write(image)
    writer.release()
    return path


def write_images(folder: Path, count: int, *, content_type: str = "image/jpeg", suffix: str = ".jpg") -> list[bytes]:
    """Images named frame0, frame1 ... in a folder; returns their bytes in that order."""
    folder.mkdir(exist_ok=True)
    encoded = [encode(image, content_type) for image in scene_images(count)]
    for number, data in enumerate(encoded):
        (folder / f"frame{number}{suffix}").write_bytes(data)
    return encoded


def leave_out_frames(path: Path, *, every: int) -> int:
    """Make an MJPEG AVI one with sparse times: only each `every`th frame, and the last, stay; returns how many."""
    data = bytearray(path.read_bytes())
    movie, index = data.index(b"movi"), data.index(b"idx1")
    count = int.from_bytes(data[index + 4 : index + 8], "little") // 16
    left_out = [number for number in range(count - 1) if number % every]
    for number in left_out:
        # An entry of the index: name, flags, offset from "movi", size. An empty chunk is a frame that was left out.
        entry = index + 8 + 16 * number
        chunk = movie + int.from_bytes(data[entry + 8 : entry + 12], "little")
        size = int.from_bytes(data[entry + 12 : entry + 16], "little")
        data[entry + 12 : entry + 16] = data[chunk + 4 : chunk + 8] = bytes(4)
        data[chunk + 8 : chunk + 16] = b"JUNK" + (size + size % 2 - 8).to_bytes(4, "little")
    path.write_bytes(data)
    return count - len(left_out)


class ManualClock:
    """A clock in ns that stands still until it is told, or slept on."""

    def __init__(self, now_ns: int = 0) -> None:
        self.now_ns = now_ns
        self.slept: list[float] = []

    def __call__(self) -> int:
        """The time in ns."""
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now_ns += round(seconds * 1_000_000_000)


@contextmanager
def mjpeg_camera(images: Sequence[bytes]) -> Iterator[str]:
    """A camera that shows these JPEGs to each who connects, hangs up, and does so again; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for data in images:
                    part = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(part.encode() + data + b"\r\n")
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with serving_with(Handler) as address:
        yield f"{address}/video"


@contextmanager
def web_folder(folder: Path) -> Iterator[str]:
    """A web server with the files of a folder; its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def copyfile(self, source: Any, outputfile: Any) -> None:
            # A reader that has what it wants hangs up.
            with suppress(OSError):
                super().copyfile(source, outputfile)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with serving_with(Handler) as address:
        yield address


@contextmanager
def serving_with(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server with this handler; its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def noise(width: int, height: int, *, seed: int) -> Image:
    """A picture of nothing but noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def java_partition(key: bytes, partitions: int) -> int:
    """Where Kafka's Java client puts a key: `toPositive(murmur2(key)) % partitions`, as its Utils.murmur2 counts."""
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    value = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * factor & mask
        word = (word ^ word >> 24) * factor & mask
        value = value * factor & mask ^ word
    if rest := key[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * factor & mask
    value = (value ^ value >> 13) * factor & mask
    value ^= value >> 15
    return (value & 0x7FFFFFFF) % partitions


def record_of(message: Message) -> Record:
    """A confluent-kafka message as the contract's record."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    headers = message.headers() or []
    assert isinstance(headers, list)
    assert all(value is None or isinstance(value, bytes) for _, value in headers)
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),  # type: ignore[arg-type,unused-ignore]
        value=message.value(),  # type: ignore[arg-type,unused-ignore]
        headers=cast(Headers, headers),
    )


def frames_of(messages: Sequence[Message]) -> list[Frame]:
    """The frames in these messages; FrameError when one is not as the contract wants it."""
    return [to_frame(record_of(message)) for message in messages]
