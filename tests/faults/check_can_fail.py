"""Each weakness of a worker is found out by its fault, and the same worker without it by nothing: ten minutes.

`make faults-can-fail`; the quick ones of the first half are in `make test`, too.
"""

from pathlib import Path

import pytest
from weaknesses import WEAKNESSES, Weakness, run, unmet

EVERY = pytest.mark.parametrize("weakness", WEAKNESSES, ids=[each.name for each in WEAKNESSES])


@EVERY
def test_without_the_safeguard_the_fault_tells(kafka_bootstrap: str, tmp_path: Path, weakness: Weakness) -> None:
    figures = run(weakness, kafka_bootstrap, tmp_path, variant=weakness.variant)
    assert set(weakness.figures) <= unmet(figures), figures


@EVERY
def test_with_it_every_figure_is_met(kafka_bootstrap: str, tmp_path: Path, weakness: Weakness) -> None:
    figures = run(weakness, kafka_bootstrap, tmp_path, variant=weakness.sound)
    assert [figure for figure in figures if not figure.met] == []
