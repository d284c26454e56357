"""What the figures were measured on: no names of hosts, only what matters for speed."""

import importlib.metadata
import os
import platform
from pathlib import Path

from streams.settings import cores

_PACKAGES = ("confluent-kafka", "aiokafka", "faust-streaming", "opencv-python-headless", "numpy", "simplejpeg")


def machine_facts() -> dict[str, str]:
    """Cores, processor, system, what else runs (load average of a minute), Python and versions of packages, by name."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "cores": str(cores()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
