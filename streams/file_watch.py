"""Whether a file has changed, by asking the file system once a second.

Notifications by the kernel would be sooner, and are not to be had everywhere: not on network file systems, and not for
a file that is reached by symbolic links which are put in its place, as Kubernetes does with those of a ConfigMap.
"""

from pathlib import Path

POLL_S = 1.0

# What is behind all links: device, inode, size in bytes, time of the last change in ns. None: there is no such file.
_Signature = tuple[int, int, int, int] | None


class FileWatch:
    """Tells of changes of a file, or of any of several, once each; `changed` is to be asked every POLL_S."""

    def __init__(self, *paths: Path) -> None:
        """To be made before the files are read, so that no change is missed."""
        self._paths = paths
        self._told = self._seen = self._signatures()

    def changed(self) -> bool:
        """Whether a file is another than it was, and all have been as they are since the call before.

        What has just changed may still be being written: half a file can be as sound as a whole one, and say less.
        """
        now = self._signatures()
        settled = now == self._seen
        self._seen = now
        if not settled or now == self._told:
            return False
        self._told = now
        return True

    def _signatures(self) -> list[_Signature]:
        return [_signature(path) for path in self._paths]


def _signature(path: Path) -> _Signature:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
