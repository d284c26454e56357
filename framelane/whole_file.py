"""Files that are there as a whole or not at all."""

import contextlib
import os
from pathlib import Path

from consumers.sinks.failed_write import failed_write
from streams.contract.errors import SettingError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file and its folder; who looks at it meanwhile sees what was there before.

    Raises SinkError, and SettingError where the path names no file.
    """
    if not path.name:
        raise SettingError(f"cannot write to {str(path)!r}: expected the name of a file, not a folder")
    # Of each process its own: two of them must not write into one.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise failed_write(path, error) from error
