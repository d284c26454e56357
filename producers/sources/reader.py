"""The process that reads one source for another: python -m producers.sources.reader CAMERA_ID, with a socket as stdin.

It ends when the other side hangs up, even while FFmpeg hangs.
"""

import logging
import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from producers.sources.base import Grab, LeftOut, Source, SourceOptions
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
    pack,
)
from producers.sources.selected import Selected
from streams.contract.errors import FramelaneError, SettingError, SourceLost
from streams.contract.redact import redact

# After the other side has hung up: for the camera to be told.
_LEAVE_S = 0.8


def main() -> None:
    """Read what the job on the socket says, until there is no more, or nobody listens."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # They are for the whole group of processes; this one ends when the other side has ended in order.
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=0) as other:
        try:
            _serve(other)
        except OSError:
            return


def _serve(other: socket.socket) -> None:
    job = _job(other)
    stop = threading.Event()
    threading.Thread(target=_end_with, args=(other, stop), name="other side", daemon=True).start()
    say = _Saying(other)
    # Without these, FFmpeg's warnings in our words would be lost: this process has no stderr.
    logging.getLogger("producers").addHandler(_Telling(say))
    try:
        source = Selected(_open(job, stop), job.selection)
    except FramelaneError as error:
        say(Failed(error="setting" if isinstance(error, SettingError) else "source", message=str(error)))
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side has to hear of it: there is no stderr
        say(_broken(job, error))
        return
    try:
        say(_opened(source))
        say(_read(source, say, stop))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        say(_broken(job, error))
    finally:
        source.close()


def _broken(job: Job, error: Exception) -> Failed:
    # What it says may hold the address, and so a password; where it happened does not.
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    if isinstance(error, ImportError):
        what += f": {error.name} cannot be loaded"
    return Failed(error="lost", message=f"source {redact(job.place)!r}: its reader has failed: {what}")


def _read(source: Source, say: "_Saying", stop: threading.Event) -> Said:
    """Tell of every picture; what is to be said at the end."""
    while not stop.is_set():
        try:
            grab = source.grab()
        except FramelaneError as error:
            return Failed(error="lost" if isinstance(error, SourceLost) else "source", message=str(error))
        if isinstance(grab, LeftOut):
            say(Missing(reason=grab.reason, detail=grab.detail, media_time_ns=grab.media_time_ns))
        elif isinstance(grab, Grab):
            assert isinstance(grab.picture, bytes)
            say(Pictured(captured_at_ns=grab.captured_at_ns, media_time_ns=grab.media_time_ns), grab.picture)
        else:
            break
    return Ended()


def _job(other: socket.socket) -> Job:
    length, _ = LENGTHS.unpack(_exactly(other, LENGTHS.size))
    return msgspec.msgpack.decode(_exactly(other, length), type=Job)


def _exactly(other: socket.socket, count: int) -> bytes:
    data = other.recv(count, socket.MSG_WAITALL)
    if len(data) < count:
        raise ConnectionError("the other side has ended")
    return data


def _open(job: Job, stop: threading.Event) -> Source:
    options = SourceOptions(
        camera_id=job.camera_id,
        fps=job.fps,
        size=job.size,
        loop=job.loop,
        decoder=job.decoder,
        silence_s=job.silence_s,
        stop=stop,
    )
    return _opener(job.kind)(job.place, options)


def _opener(kind: Kind) -> Callable[[str, SourceOptions], Source]:
    # Each is loaded alone: this process is one of many.
    import cv2

    cv2.setNumThreads(1)
    if kind == "stream":
        from producers.sources.network import open_stream_here

        return open_stream_here
    if kind == "device":
        from producers.sources.device import open_device_here

        return open_device_here
    from producers.sources.video_file import open_video_here

    return lambda place, options: open_video_here(Path(place), options)


def _opened(source: Selected) -> Opened:
    return Opened(name=source.name, live=source.live, fps=source.fps, codec=source.codec, decoder=source.decoder)


def _end_with(other: socket.socket, stop: threading.Event) -> None:
    """Wait until the other side has hung up; then there is a moment for an orderly end, and no more."""
    while True:
        try:
            if not other.recv(1024):
                break
        except OSError:
            break
    stop.set()
    threading.Event().wait(_LEAVE_S)
    os._exit(1)


class _Saying:
    """Says things to the other side, a message at a time."""

    def __init__(self, other: socket.socket) -> None:
        self._other, self._lock = other, threading.Lock()

    def __call__(self, said: Said, picture: bytes = b"") -> None:
        with self._lock:
            for part in pack(said, picture):
                self._other.sendall(part)


class _Telling(logging.Handler):
    """Hands our own warnings to the other side's log."""

    def __init__(self, say: _Saying) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._say(Warned(message=record.getMessage()))
        except OSError:
            self.handleError(record)


if __name__ == "__main__":
    main()
