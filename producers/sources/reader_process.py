"""A source that is read in a process of its own, so that it can be killed when FFmpeg, V4L2 or a driver hangs."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import NoReturn

import msgspec

from producers.sources.base import LOOK_S, Grab, LeftOut, SourceOptions
from producers.sources.reader_messages import (
    LENGTHS,
    Ended,
    Failed,
    Job,
    Kind,
    Missing,
    Opened,
    Pictured,
    Said,
    Warned,
    unpack,
)
from streams.contract.errors import FramelaneError, SettingError, SourceError, SourceLost
from streams.contract.redact import redact

logger = logging.getLogger(__name__)
# Beyond what opening may take by itself (capture.py): the start of Python, and what it loads, on a busy machine.
OPEN_S = 30.0
# How long a reader that is to end may take to say goodbye to its camera.
LEAVE_S = 1.0
_ERRORS: dict[str, type[FramelaneError]] = {"setting": SettingError, "source": SourceError, "lost": SourceLost}
# One reader is one stream: threads of numpy's and pools of malloc's would only cost memory.
_FRUGAL = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class ReaderProcess:
    """Pictures of a source that another process reads; they come selected and encoded.

    When nothing comes for the options' silence_s it is taken for hung, and is killed at `close`.
    """

    selected = True
    waits = False

    def __init__(self, kind: Kind, place: str, options: SourceOptions) -> None:
        """Starts the process, and waits until the source is open there. Raises what opening it raises."""
        self.name = redact(place)
        self._options = options
        self._over = False
        try:
            self._socket, self._process = _started(options.camera_id)
        except OSError as error:
            raise SourceError(
                f"source {self.name!r}: no process can be started to read it: {error.strerror}; "
                "let this user have more processes and open files"
            ) from error
        try:
            opened = self._start(Job.of(kind, place, options))
        except BaseException:
            self.close()
            raise
        self.name, self.live, self.fps = opened.name, opened.live, opened.fps
        self.codec, self.decoder = opened.codec, opened.decoder

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def grab(self) -> Grab | LeftOut | None:
        """The next picture, or the word that one was left out; None at the end, or when it is stopped."""
        while not self._over:
            received = self._receive(self._options.silence_s)
            if received is None:
                return None
            said, picture = received
            if isinstance(said, Pictured):
                return said.grab(picture)
            if isinstance(said, Missing):
                return said.left_out()
            self._over = isinstance(said, Ended)
        return None

    def close(self) -> None:
        """End the process: by hanging up, and, when it does not hear that, by SIGKILL."""
        self._over = True
        self._socket.close()
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            try:
                self._process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                logger.warning(
                    "source %s: its reader, process %d, hangs in the kernel, and is left", self.name, self.pid
                )

    def _start(self, job: Job) -> Opened:
        request = msgspec.msgpack.encode(job)
        with suppress(OSError):
            # One that has died already is noticed when it is listened to.
            self._socket.sendall(LENGTHS.pack(len(request), 0) + request)
        while True:
            received = self._receive(OPEN_S + self._options.silence_s)
            if received is None:
                raise SourceError(f"source {self.name!r}: stopped while it was being opened")
            if isinstance(received[0], Opened):
                return received[0]
            if isinstance(received[0], Ended):
                raise SourceError(f"source {self.name!r}: it ended before its first picture")

    def _receive(self, silence_s: float) -> tuple[Said, bytes] | None:
        """What it says next, but for warnings, which are logged, and failures, which are raised; None: stopped."""
        while True:
            deadline = time.monotonic() + silence_s
            lengths = self._exactly(LENGTHS.size, deadline, silence_s)
            if lengths is None:
                return None
            head_length, length = LENGTHS.unpack(lengths)
            both = self._exactly(head_length + length, deadline, silence_s)
            if both is None:
                return None
            said = unpack(both[:head_length])
            if isinstance(said, Failed):
                raise _ERRORS[said.error](said.message)
            if not isinstance(said, Warned):
                return said, both[head_length:]
            logger.warning("%s", said.message, extra={"camera": self._options.camera_id})

    def _exactly(self, count: int, deadline: float, silence_s: float) -> bytes | None:
        buffer = bytearray(count)
        view, got = memoryview(buffer), 0
        while got < count:
            try:
                more = self._socket.recv_into(view[got:])
            except TimeoutError:
                more = None
            except OSError as error:
                self._gone(error)
            if more == 0:
                self._gone(None)
            got += more or 0
            if got < count and self._options.stop.is_set():
                return None
            if got < count and time.monotonic() > deadline:
                raise SourceLost(
                    f"source {self.name!r}: no picture for {silence_s:g} s; its reader is killed, as it may hang"
                )
        return bytes(buffer)

    def _gone(self, error: OSError | None) -> NoReturn:
        try:
            code = self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            how = "has hung up, and does not end"
        else:
            how = f"ended unexpectedly, by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        raise SourceLost(f"source {self.name!r}: its reader {how}") from error


def _started(camera_id: str) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    """A reader, and the socket by which it is told what to do."""
    ours, theirs = socket.socketpair()
    # What is to be read, password and all, goes over the socket: arguments are for everybody to see.
    # -P: what lies in the folder where somebody stands is none of ours.
    command = [sys.executable, "-P", "-m", "producers.sources.reader", camera_id]
    try:
        process = subprocess.Popen(
            command,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | _FRUGAL,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    ours.settimeout(LOOK_S)
    return ours, process
