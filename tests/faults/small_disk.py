"""A disk of a few hundred megabytes that can be full: a tmpfs of its own, made smaller and larger while it is used."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

MIB = 1024 * 1024
# Nothing of it is taken from the memory before it is written.
SIZE = 2048 * MIB
_PAGE = 4096
_TIMEOUT_S = 30.0


class SmallDisk:
    """A context manager: what is on it goes at its end.

    Where this machine lets nobody mount one, `folder` is a folder like any other, and `trouble` says why; `check` and
    `fill` then raise OSError, so that nobody takes for a full disk what is none.
    """

    def __init__(self, *, mount: Sequence[str] = ("mount",)) -> None:
        """mount: the command, before its arguments."""
        self._mount = mount
        self.trouble = ""

    def __enter__(self) -> "SmallDisk":
        self.folder = Path(tempfile.mkdtemp(prefix="framelane-small-disk-"))
        self.trouble = self._run("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        if not self.trouble:
            # Lazily: whoever has just been killed may not have let go of it.
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True, timeout=_TIMEOUT_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def free_bytes(self) -> int:
        """How much can be written."""
        return shutil.disk_usage(self.folder).free

    def check(self) -> None:
        """Raise OSError where it is no disk of its own."""
        if self.trouble:
            raise OSError(f"no small disk can be had here, so none can be full: {self.trouble}")

    def fill(self, *, leave: int) -> None:
        """From now on only so many bytes more can be written, a few pages more or less."""
        self.check()
        self._resize(shutil.disk_usage(self.folder).used + leave)

    def free(self) -> None:
        """There is room again."""
        self._resize(SIZE)

    def _resize(self, size: int) -> None:
        if trouble := self._run("-o", f"remount,size={-(-size // _PAGE) * _PAGE}", str(self.folder)):
            raise OSError(f"{self.folder} cannot be resized to {size} bytes: {trouble}")

    def _run(self, *arguments: str) -> str:
        """Run the command; what is wrong, or "" where nothing is."""
        try:
            done = subprocess.run(
                [*self._mount, *arguments], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
            )
        except OSError as error:
            return f"{self._mount[0]}: {error.strerror}"
        return "" if done.returncode == 0 else done.stderr.strip() or f"mount ended with {done.returncode}"
