"""What tests of the gateway need: it as a process, pipelines of their own, numbered images, and a plain client."""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from kafka_support import cli_environ, unique
from worker_support import Topics, make_topics

from producers.stamp import read_stamp, stamp
from streams.contract.images import decode, encode

CAMERA = "asked"
_LENGTH = struct.Struct(">I")


def numbered(number: int, *, size: tuple[int, int] = (320, 240), content_type: str = "image/jpeg") -> bytes:
    """An image that bears its number, whatever is done to it."""
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    cv2.circle(image, (size[0] // 3, size[1] // 3), size[1] // 6, (40, 180, 220), -1)
    stamp(image, CAMERA, number)
    return encode(image, content_type)


def number_of(data: bytes) -> int:
    """The number that an image bears; fails the test where it bears none."""
    found = read_stamp(decode(data))
    assert found is not None, f"{len(data)} bytes without a stamp"
    return found.sequence


class PipelineFile:
    """A file with one pipeline that has topics and a group of its own."""

    def __init__(self, make_topic: Callable[..., str], folder: Path, *operators: str, more: str = "") -> None:
        """operators: TOML tables. more: TOML lines of the pipeline."""
        self.topics: Topics = make_topics(make_topic)
        self.name = unique("asked")
        self.path = folder / f"{self.name}.toml"
        topics = self.topics
        self.path.write_text(
            f'[[pipeline]]\nname = "{self.name}"\ngroup = "{self.name}"\n'
            f'input = "{topics.raw}"\noutput = "{topics.processed}"\n'
            f'events = "{topics.events}"\ndead_letter = "{topics.dead_letter}"\nformat = "keep"\n{more}\n'
            f"operators = [{', '.join(operators)}]\n"
        )


class Gateway:
    """`framelane gateway` on free ports. Use as a context manager; what it said is printed at the end."""

    def __init__(self, bootstrap: str, file: PipelineFile, folder: Path, *arguments: str) -> None:
        self._log = folder / f"{unique('gateway')}.log"
        self._command = [sys.executable, "-m", "framelane", "gateway", "--pipelines", str(file.path)]
        self._command += ["--bootstrap", bootstrap, "--port", "-1", "--http-port", "-1", *arguments]
        self.port = self.http_port = 0

    def __enter__(self) -> "Gateway":
        with self._log.open("wb") as stderr:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stderr=stderr, env=cli_environ())
        try:
            self.port = self._port("images as Int32 strings")
            self.http_port = self._port("HTTP: http://")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        print(f"gateway said:\n{self.log[-4000:]}")

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def stop(self) -> int:
        """End it in order; its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def wait_for(self, text: str, *, timeout_s: float = 60) -> str:
        """Wait until it says something; the line."""
        give_up = time.monotonic() + timeout_s
        while True:
            line = next((line for line in self.log.splitlines() if text in line), None)
            if line is not None:
                return line
            assert self.process.poll() is None, f"it has ended: {self.log}"
            assert time.monotonic() < give_up, f"{text!r} is not in {self.log}"
            time.sleep(0.02)

    def _port(self, text: str) -> int:
        event = str(json.loads(self.wait_for(text))["event"])
        return int(event.partition("127.0.0.1:")[2].split(",")[0].split("/")[0])


class Client:
    """A plain client of the Int32 protocol; a context manager."""

    def __init__(self, port: int, *, timeout_s: float = 60) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Ask for an image."""
        self.socket.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self) -> bytes:
        """The next answer; ConnectionError where the gateway has ended the connection."""
        return self._exactly(_LENGTH.unpack(self._exactly(_LENGTH.size))[0])

    def ask(self, data: bytes) -> bytes:
        """Ask and wait."""
        self.send(data)
        return self.receive()

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise ConnectionError(f"the connection ended after {len(parts)} of {size} bytes")
            parts += part
        return bytes(parts)


def ask_until_answered(port: int, data: bytes, *, tries: Sequence[float] = (0.0,) * 20) -> bytes:
    """Ask again and again until there is an image: a group of workers that has just begun needs a while."""
    for pause_s in tries:
        with Client(port) as client:
            if answer := client.ask(data):
                return answer
        time.sleep(pause_s)
    raise AssertionError(f"no answer after {len(tries)} tries")
