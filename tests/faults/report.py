"""The table as JSON: each run with its seed and its figures."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from table import Run, unmet


def chart_name(title: str) -> str:
    """The file's name of a run's chart."""
    return f"{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}.png"


def written(runs: Sequence[Run], folder: Path) -> Path:
    """Write faults.json in this folder; its path."""
    path = folder / "faults.json"
    found = {"pass": not any(unmet(run) for run in runs), "runs": [_run(run) for run in runs]}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path


def _run(run: Run) -> dict[str, Any]:
    figures = [
        {
            "name": figure.name,
            "value": _number(figure.value),
            "limit": figure.limit,
            "exact": figure.exact,
            "met": figure.met,
        }
        for figure in run.figures
    ]
    return {
        "fault": run.number,
        "title": run.title,
        "seed": run.seed,
        "seconds": round(run.seconds, 1),
        "pass": not unmet(run),
        "failure": run.failure,
        "figures": figures,
        "chart": chart_name(f"{run.number} {run.title}, seed {run.seed}"),
    }


def _number(value: float) -> float | None:
    """JSON has no infinity: what never came is null."""
    return round(value, 4) if math.isfinite(value) else None
