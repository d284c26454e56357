"""Servers of cameras for the tests: those of web_cameras.py, and one that says nothing."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WEB = Path(__file__).with_name("web_cameras.py")


class WebCameras:
    """web_cameras.py as a process of its own, that can be stopped and come back on its port."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> "WebCameras":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; on the port that it had."""
        self._process = subprocess.Popen([sys.executable, str(_WEB), str(self.port)], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """Be gone, with every connection."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def address(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}/{path}"


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections, and says nothing on any of them."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    taken: list[socket.socket] = []

    def take() -> None:
        while True:
            try:
                taken.append(listening.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for connection in taken:
            connection.close()
