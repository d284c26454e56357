"""Whether a file has changed, by asking the file system once a second.

Notifications by the kernel would be sooner, and are not to be had everywhere: not on network file systems, and not for
a file that is reached by symbolic links which are put in its place, as Kubernetes does with those of a ConfigMap.
"""

from pathlib import Path

POLL_S = 1.0

# What is behind all links: device, inode, size in bytes, time of the last change in ns. None: there is no such file.
_Signature = tuple[int, int, int, int] | None


class FileWatch:
    """Tells of a file's changes, once each; `changed` is to be asked every POLL_S."""

    def __init__(self, path: Path) -> None:
        """To be made before the file is read, so that no change is missed."""
        self._path = path
        self._told = self._seen = _signature(path)

    def changed(self) -> bool:
        """Whether the file is another than it was, and has been so since the call before.

        What has just changed may still be being written: half a file can be as sound as a whole one, and say less.
        """
        now = _signature(self._path)
        settled = now == self._seen
        self._seen = now
        if not settled or now == self._told:
            return False
        self._told = now
        return True


def _signature(path: Path) -> _Signature:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
