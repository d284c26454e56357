"""The fault runner finds workers that lack a safeguard, and has nothing to say of one that has all of them.

Those that take longer are in tests/faults/check_can_fail.py: `make faults-can-fail`.
"""

from pathlib import Path

import pytest
from f10_broken import broken
from scene import Setup
from weaknesses import WEAKNESSES, Weakness, run, unmet

FORGETFUL = Weakness(variant="forgetful", fault=broken, figures=("lost",), setup=Setup(settle_s=10.0))
QUICK = [weakness for weakness in WEAKNESSES if weakness.quick]


def test_a_sound_worker_meets_every_figure(kafka_bootstrap: str, tmp_path: Path) -> None:
    figures = run(FORGETFUL, kafka_bootstrap, tmp_path, variant="mended")
    assert [figure for figure in figures if not figure.met] == []
    assert {figure.name: figure.value for figure in figures}["dead letters"] > 0


def test_a_worker_that_loses_frames_is_found_out(kafka_bootstrap: str, tmp_path: Path) -> None:
    figures = run(FORGETFUL, kafka_bootstrap, tmp_path, variant=FORGETFUL.variant)
    assert "lost" in unmet(figures)
    # One in fifty of each partition.
    values = {figure.name: figure.value for figure in figures}
    assert values["lost"] == pytest.approx(values["produced"] / 50, abs=4)


@pytest.mark.parametrize("weakness", QUICK, ids=[each.name for each in QUICK])
def test_a_worker_without_a_safeguard_is_found_out(kafka_bootstrap: str, tmp_path: Path, weakness: Weakness) -> None:
    figures = run(weakness, kafka_bootstrap, tmp_path, variant=weakness.variant)
    assert set(weakness.figures) <= unmet(figures), figures
