"""The table as JSON."""

import json
from pathlib import Path

from figures import at_most, exactly, shown
from report import chart_name, written
from table import Run

GOOD = Run("F1", "worker killed", 7, (exactly("lost", 0, 0), shown("kills", 3)), seconds=12.34)
STUCK = Run("F1", "worker killed", 8, (at_most("recovery s", float("inf"), 13.0),))
FAILED = Run("F2", "restarted", 1, (), "AssertionError: the workers stand still")


def test_it_has_each_run_with_its_seed_and_figures(tmp_path: Path) -> None:
    found = json.loads(written([GOOD], tmp_path).read_text())
    [run] = found["runs"]
    assert found["pass"] is run["pass"] is True
    assert (run["fault"], run["seed"], run["seconds"]) == ("F1", 7, 12.3)
    assert run["chart"] == "f1-worker-killed-seed-7.png"
    assert run["figures"][0] == {"name": "lost", "value": 0, "limit": 0, "exact": True, "met": True}
    assert run["figures"][1]["limit"] is None


def test_what_is_not_met_falls_short_and_infinity_is_null(tmp_path: Path) -> None:
    found = json.loads(written([GOOD, STUCK, FAILED], tmp_path).read_text(), parse_constant=_refuse)
    assert found["pass"] is False
    assert [run["pass"] for run in found["runs"]] == [True, False, False]
    assert found["runs"][1]["figures"][0]["value"] is None
    assert found["runs"][2]["failure"] == FAILED.failure


def test_a_charts_name_is_plain() -> None:
    assert chart_name("F6 200 ms, jitter, seed 2") == "f6-200-ms-jitter-seed-2.png"


def _refuse(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")
