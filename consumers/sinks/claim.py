"""Hidden files that are being written, and how others tell whether whoever writes them still lives."""

import errno
import fcntl
import os
import re
import secrets
from pathlib import Path

_PART = re.compile(r"\.framelane-([0-9a-f]{8})-[^/]*\.part[^/]*")
_LOCK = re.compile(r"\.framelane-([0-9a-f]{8})\.lock")


class Claim:
    """A token for names of our own in a folder that several recorders may share, and a lock that lives as long as we.

    A process number would not do: containers on one volume all have the same.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._token, self._handle = "", -1

    def take(self) -> None:
        """Choose the token, and lock it. Raises OSError when nothing can be written in the folder."""
        while self._handle < 0:
            self._token = secrets.token_hex(4)
            handle = os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            try_lock(handle)
            # Somebody who sweeps may have come between the two lines above.
            if self._lock.exists():
                self._handle = handle
            else:
                os.close(handle)

    def part(self, label: str, ending: str = "") -> Path:
        """The path of an unfinished file."""
        return self._folder / f".framelane-{self._token}-{label}.part{ending}"

    def release(self) -> None:
        """Nothing of ours is unfinished any more."""
        if self._handle >= 0:
            self._lock.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1

    @property
    def _lock(self) -> Path:
        return self._folder / f".framelane-{self._token}.lock"


def sweep(folder: Path) -> None:
    """Remove the unfinished files of those who were killed. Raises OSError."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(".framelane-")]
    tokens = {found[1] for name in names if (found := _PART.fullmatch(name) or _LOCK.fullmatch(name))}
    dead = {token for token in tokens if not _lives(folder / f".framelane-{token}.lock")}
    for name in names:
        found = _PART.fullmatch(name)
        if found and found[1] in dead:
            (folder / name).unlink(missing_ok=True)


def _lives(lock: Path) -> bool:
    """Whether somebody holds the lock, or nobody can say; a lock that is left over is removed."""
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        if not try_lock(handle):
            return True
        lock.unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)


def try_lock(handle: int, *, wait: bool = False) -> bool:
    """Lock an open file for ourselves; False when another has it, or the file system knows no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        return False
    return True


def unlock(handle: int) -> None:
    """Give the lock back."""
    fcntl.flock(handle, fcntl.LOCK_UN)
