"""Python, the machine, and the versions of what we stand on."""

import importlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from framelane.checks.row import Row

_TESTED_PYTHON = ((3, 11), (3, 13))
_TESTED_MACHINES = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Darwin", "x86_64")}
# The worker subclasses internals of these two, so another minor version is not the one that was tested.
_TESTED = {"faust-streaming": "0.15.", "aiokafka": "0.14."}
_PACKAGES = ("faust-streaming", "aiokafka", "confluent-kafka", "opencv-python-headless", "numpy")


def check_environment() -> list[Row]:
    """Rows on this Python, this machine and the packages; asks no broker."""
    return [_python(), _machine(), *(_package(name) for name in _PACKAGES), _librdkafka(), _aiokafka_speed()]


def _python() -> Row:
    found = platform.python_version()
    low, high = _TESTED_PYTHON
    if low <= sys.version_info[:2] <= high:
        return Row(what="Python", found=found)
    tested = f"{low[0]}.{low[1]} to {high[0]}.{high[1]}"
    return Row(what="Python", found=found, state="warning", mend=f"tested are {tested}")


def _machine() -> Row:
    system, processor = platform.system(), platform.machine()
    known = (system, processor) in _TESTED_MACHINES
    return Row(
        what="machine",
        found=f"{system} {platform.release()}, {processor}",
        state="ok" if known else "warning",
        mend="" if known else "known to work: Linux and macOS on x86_64 and arm64",
    )


def _package(name: str) -> Row:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Row(what=name, found="not installed", state="failed", mend="make env, or pip install framelane")
    tested = _TESTED.get(name, "")
    if not found.startswith(tested):
        return Row(what=name, found=found, state="warning", mend=f"tested is {tested}x: make env installs that")
    return Row(what=name, found=found)


def _librdkafka() -> Row:
    import confluent_kafka

    return Row(what="librdkafka", found=confluent_kafka.libversion()[0])


def _aiokafka_speed() -> Row:
    what = "aiokafka's C extension"
    try:
        importlib.import_module("aiokafka.record._crecords")
        in_use = not importlib.import_module("aiokafka.util").NO_EXTENSIONS
    except ImportError:
        in_use = False
    if in_use:
        return Row(what=what, found="in use")
    return Row(
        what=what,
        found="not in use",
        state="warning",
        mend="workers read slowly: unset AIOKAFKA_NO_EXTENSIONS, and install aiokafka from a wheel for this Python",
    )
