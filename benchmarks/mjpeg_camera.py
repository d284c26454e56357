"""A camera on the web that sends MJPEG at a pace, to be read by contenders, which are other processes."""

import http.server
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.pictures import there_and_back


@contextmanager
def mjpeg_camera(pictures: Sequence[bytes], *, fps: float) -> Iterator[str]:
    """A server that sends these JPEGs, forwards and backwards without end, to whoever connects; its address.

    fps: pictures a second at the most; a reader that is slower gets them as fast as it takes them, and all of them.
    """

    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            due = time.monotonic()
            try:
                for data in there_and_back(list(pictures)):
                    time.sleep(max(0.0, due - time.monotonic()))
                    # Late ones are not made up for in a burst, which would be cheaper to read than a camera is.
                    due = max(due, time.monotonic() - 1 / fps) + 1 / fps
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    # Each ends when its reader is gone.
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="camera", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/video"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
