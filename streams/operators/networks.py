"""Networks in files of the user's (ONNX), run by OpenCV."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import cv2
import numpy as np

from streams.operators.checks import ParameterError, name_of

# Of a digest: enough to tell files apart, and short enough for a header of a dead letter.
VERSION_DIGITS: Final = 12

Made = TypeVar("Made")
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it was read. digest: SHA-256 of the content, hexadecimal."""

    path: str
    digest: str
    content: bytes = field(repr=False, compare=False)

    @property
    def buffer(self) -> Array:
        """The content as uint8 (N,), as OpenCV takes it."""
        return np.frombuffer(self.content, np.uint8)

    def net(self) -> cv2.dnn.Net:
        """A network of its own, for one thread at a time; cv2.error when it is none or OpenCV cannot read it."""
        return cv2.dnn.readNetFromONNX(self.buffer)


def read_model(operator: object, parameter: str = "model") -> ModelFile:
    """The file that this parameter of the operator names, read again once it has changed; ParameterError if it cannot.

    Settings are read several times in a process, so what was read is kept.
    """
    path = Path(getattr(operator, parameter))
    try:
        stat = path.stat()
        return _read(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused(operator, parameter, f"a file that can be read ({reason})") from error


def refused(operator: object, parameter: str, expected: str) -> ParameterError:
    """The error for a parameter of the operator. expected: completes "expected ..."."""
    return ParameterError(name_of(operator), parameter, getattr(operator, parameter), expected)


def said(error: cv2.error) -> str:
    """What OpenCV says is wrong, on one line, without where in its code."""
    return " ".join(str(getattr(error, "err", "") or error).split())


class Spares(Generic[Made]):
    """Things that one thread at a time may use, such as networks: as many are made as are in use at once.

    No lock is held while one is used, for OpenCV runs a network in the thread that asks for it. One whose use raised
    is not used again.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        # The first is made now, so that whoever opens the operator hears of what is wrong.
        self._idle = deque([make()])

    @contextmanager
    def one(self) -> Iterator[Made]:
        """One that nobody else uses within this block."""
        try:
            made = self._idle.pop()
        except IndexError:
            made = self._make()
        yield made
        self._idle.append(made)


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size: int) -> ModelFile:
    content = path.read_bytes()
    return ModelFile(str(path), hashlib.sha256(content).hexdigest(), content)
