"""What decodes pictures, and how much room this machine has."""

import importlib
import os
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from framelane.checks.row import Row

_MIB, _GIB = 1024**2, 1024**3
# A worker of 1080p frames takes 300 to 400 MiB; a folder of recordings grows by more than this within minutes.
_LEAST_MEMORY, _LEAST_DISK = 512 * _MIB, _GIB
_LIBRARIES = re.compile(r"^\s+(JPEG|PNG|WEBP|FFMPEG):\s+(.+?)\s*$", re.MULTILINE)
_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def check_machine(folder: Path | None = None) -> list[Row]:
    """Rows on the decoders, and on memory and disk. folder: where files would be written; none is the current one."""
    return [_opencv(), _simplejpeg(), _pyav(), _memory(), _disk(folder or Path.cwd())]


def _opencv() -> Row:
    what = "decoder OpenCV"
    try:
        # A module without the types of its own build information.
        cv2 = importlib.import_module("cv2")
    except ImportError as error:
        return Row(what=what, found=str(error), state="failed", mend="make env, or pip install framelane")
    found = {name: text for name, text in _LIBRARIES.findall(cv2.getBuildInformation()) if text != "NO"}
    missing = sorted({"JPEG", "PNG", "WEBP"} - set(found))
    told = ", ".join(f"{name} {text}" for name, text in found.items())
    if missing:
        mend = "install opencv-python-headless from its wheel"
        return Row(what=what, found=f"{told}; without {', '.join(missing)}", state="failed", mend=mend)
    return Row(what=what, found=f"{cv2.__version__}: {told}")


def _simplejpeg() -> Row:
    return Row(what="decoder simplejpeg", found=version("simplejpeg"))


def _pyav() -> Row:
    what = "decoder PyAV"
    try:
        return Row(what=what, found=version("av"))
    except PackageNotFoundError:
        return Row(what=what, found="not installed: RTSP and files are read by OpenCV, without the cameras' own times")


def _memory() -> Row:
    free = _free_memory()
    if free is None:
        return Row(what="memory", found="not told by this system")
    found = f"{free / _GIB:.1f} GiB free"
    if free < _LEAST_MEMORY:
        return Row(what="memory", found=found, state="warning", mend="a worker takes 300 to 400 MiB: give it more")
    return Row(what="memory", found=found)


def _free_memory() -> int | None:
    """Bytes that are to be had: of the machine, or what is left of a container's limit where that is less."""
    try:
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit, used = ((_CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return min(free, max(0, int(limit) - int(used)))
    except (OSError, ValueError):
        # No container, or one without a limit ("max").
        return free


def _disk(folder: Path) -> Row:
    what = f"disk at {folder}"
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.1f} GiB free"
    if not os.access(folder, os.W_OK):
        found += ", and this user may not write there"
    if free < _LEAST_DISK:
        mend = "make room, or write elsewhere: recordings and the embedded broker stop when it is full"
        return Row(what=what, found=found, state="warning", mend=mend)
    return Row(what=what, found=found)
