"""The fault runner finds a worker that loses frames, and has nothing to say of one that does not."""

from dataclasses import replace
from pathlib import Path

import pytest
from f10_broken import broken
from figures import Figure
from scene import Scene, Setup


def run(bootstrap: str, folder: Path, *, variant: str) -> dict[str, Figure]:
    setup = replace(Setup(), variant=variant, settle_s=90.0 if variant == "mended" else 10.0)
    with Scene(bootstrap, folder, setup=setup) as scene:
        return {figure.name: figure for figure in broken(scene, short=True)}


def test_a_sound_worker_meets_every_figure(kafka_bootstrap: str, tmp_path: Path) -> None:
    figures = run(kafka_bootstrap, tmp_path, variant="mended")
    assert [figure for figure in figures.values() if not figure.met] == []
    assert figures["dead letters"].value > 0


def test_a_worker_that_loses_frames_is_found_out(kafka_bootstrap: str, tmp_path: Path) -> None:
    figures = run(kafka_bootstrap, tmp_path, variant="forgetful")
    assert not figures["lost"].met
    # One in fifty of each partition.
    assert figures["lost"].value == pytest.approx(figures["frames"].value / 50, abs=4)
