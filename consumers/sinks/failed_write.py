"""The operating system's refusals to write, as SinkError that says what to do."""

import errno
from pathlib import Path

from streams.contract.errors import SinkError

_MENDS = {
    errno.ENOSPC: "the disk is full: free some space or write elsewhere",
    errno.EDQUOT: "the disk quota is used up: free some space or write elsewhere",
    errno.EACCES: "no right to write there: choose another place or change its rights",
    errno.EPERM: "no right to write there: choose another place or change its rights",
    errno.EROFS: "the file system is read-only: choose another place",
    errno.ENOTDIR: "a part of the path is a file, not a folder: choose another place",
    errno.EEXIST: "there is a file of that name: choose another place",
    errno.EISDIR: "there is a folder of that name: choose another name",
    errno.ENOENT: "the folder does not exist and cannot be made: choose another place",
}


def failed_write(path: Path, error: OSError) -> SinkError:
    """What to raise, `from` the error, when writing to path failed."""
    mend = _MENDS.get(error.errno or 0, f"{error.strerror or error}: choose another place")
    return SinkError(f"cannot write {path}: {mend}")
