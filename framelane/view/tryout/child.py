"""The process in which a try-out's operators run: it may hang, swell or crash, and nothing else with it.

It is asked on its standard input and answers on its standard output. It is nice to others, and ends by itself where its
parent is gone or a frame takes too long.
"""

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import cv2
import msgspec

from consumers.view.framing import LENGTH
from consumers.view.pipelines.tryout import Tried, Wrong
from framelane.view.tryout.messages import Asked, At, Made, Make, Ran, Ready, Told, packed
from framelane.view.tryout.trial import Trial

# Beyond the parent's own deadlines: for a parent that is there no more.
ALARM_S = 20.0
MEMORY_BYTES = 1536 * 1024 * 1024
NICE = 5


def main() -> None:
    """Serve until the parent closes the pipe."""
    # What a library prints must not come between the messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    bound()
    cv2.setNumThreads(1)
    serve(sys.stdin.buffer, out)


def serve(asking: BinaryIO, telling: BinaryIO) -> None:
    """Answer until there is nothing more to read."""

    def tell(message: Told) -> None:
        telling.write(packed(message))
        telling.flush()

    trial = Trial(at=lambda place: tell(At(place=place)))
    decoder = msgspec.msgpack.Decoder(Asked)
    tell(Ready())
    while len(head := asking.read(LENGTH.size)) == LENGTH.size:
        asked = decoder.decode(asking.read(LENGTH.unpack(head)[0]))
        # Nobody handles it, so it ends the process, also within a library.
        signal.setitimer(signal.ITIMER_REAL, ALARM_S)
        tell(_answer(trial, asked))
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(trial: Trial, asked: Asked) -> Told:
    try:
        return trial.make(asked) if isinstance(asked, Make) else Ran(tried=trial.run(asked))
    except MemoryError:
        wrong = Wrong(message=f"it takes more memory than the {MEMORY_BYTES >> 20} MiB that a try-out may have")
        return Made(wrong=[wrong]) if isinstance(asked, Make) else Ran(tried=Tried(failed=wrong))


def bound() -> None:
    """Bound what this process may take: memory beyond what is loaded already, and the processor's time."""
    os.nice(NICE)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = _address_space() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    """Bytes of address space in use; OSError where the system does not tell."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
