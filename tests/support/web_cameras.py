"""Cameras on the web, good and bad ones: python web_cameras.py [PORT] prints the port when it listens.

Each picture is a stamped one. Its number counts on for as long as a path is served, and leaps for each who connects.
Paths:
/good/NAME?fps=10          an MJPEG stream; &frames=100: it ends after so many; &hang=100: it falls silent after so many
/trickle/NAME              a stream whose first picture comes a byte a second, and so never
/half/NAME                 a stream: ten pictures, half of one, and from then on pictures of another size
/snapshot/NAME             one picture; ?hang=3: after so many the next answers never come
"""

import http.server
import itertools
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import cv2

from producers.stamp import stamp
from streams.contract.images import Image, encode

LEAP = 10_000
SIZE, OTHER_SIZE = (320, 240), (160, 120)


def picture(camera: str, number: int, *, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG with the camera's name and the number burnt in."""
    width, height = size
    image: Image = cv2.resize(_background(), (width, height))
    stamp(image, camera, number)
    return encode(image, quality=80)


def _background() -> Image:
    import numpy as np

    across = np.linspace(40, 200, 64, dtype=np.uint8)
    return np.dstack([np.tile(across, (48, 1)), np.full((48, 64), 90, np.uint8), np.full((48, 64), 120, np.uint8)])


class Cameras(http.server.BaseHTTPRequestHandler):
    """Serves the paths above."""

    connections: ClassVar["defaultdict[str, Iterator[int]]"] = defaultdict(itertools.count)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        _, kind, name = parts.path.split("/", 2)
        given = {key: float(value) for key, value in parse_qsl(parts.query) if key in ("fps", "frames", "hang")}
        try:
            getattr(self, f"_{kind}")(name, given)
        except OSError:
            return

    def _good(self, name: str, given: dict[str, float]) -> None:
        self._begin("multipart/x-mixed-replace; boundary=frame")
        first = next(self.connections[self.path]) * LEAP
        due = time.monotonic()
        for count in itertools.count():
            if count == given.get("frames"):
                return
            if count == given.get("hang"):
                threading.Event().wait()
            self._part(picture(name, first + count))
            due += 1 / given.get("fps", 10)
            time.sleep(max(0.0, due - time.monotonic()))

    def _trickle(self, name: str, given: dict[str, float]) -> None:
        self._begin("multipart/x-mixed-replace; boundary=frame")
        for byte in picture(name, 0):
            self.wfile.write(bytes((byte,)))
            time.sleep(1.0)

    def _half(self, name: str, given: dict[str, float]) -> None:
        self._begin("multipart/x-mixed-replace; boundary=frame")
        numbers = itertools.count(next(self.connections[self.path]) * LEAP)
        for _ in range(10):
            self._part(picture(name, next(numbers)))
            time.sleep(0.05)
        whole = picture(name, 0)
        self._part(whole[: len(whole) // 2])
        while True:
            self._part(picture(name, next(numbers), size=OTHER_SIZE))
            time.sleep(0.05)

    def _snapshot(self, name: str, given: dict[str, float]) -> None:
        number = next(self.connections[self.path])
        if number >= given.get("hang", float("inf")):
            threading.Event().wait()
        data = picture(name, number)
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _begin(self, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.end_headers()

    def _part(self, data: bytes) -> None:
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data + b"\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Its threads hang on purpose: nobody waits for them."""

    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    """Serve until killed."""
    server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Cameras)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
