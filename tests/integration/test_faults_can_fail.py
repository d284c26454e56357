"""The fault runner finds workers that lack a safeguard, and has nothing to say of one that has all of them."""

from dataclasses import replace
from pathlib import Path

import f01_killed
import f02_restarted
import f14_forged
import pytest
from f10_broken import broken
from faults import RunFault
from figures import Figure
from scene import Scene, Setup


def run(fault: RunFault, bootstrap: str, folder: Path, *, setup: Setup, variant: str = "mended") -> dict[str, Figure]:
    """The figures of a short run; of those with one name that which is not met."""
    with Scene(bootstrap, folder, setup=replace(setup, variant=variant)) as scene:
        figures = fault(scene, short=True)
    return {figure.name: figure for figure in sorted(figures, key=lambda figure: not figure.met)}


def test_a_sound_worker_meets_every_figure(kafka_bootstrap: str, tmp_path: Path) -> None:
    figures = run(broken, kafka_bootstrap, tmp_path, setup=Setup())
    assert [figure for figure in figures.values() if not figure.met] == []
    assert figures["dead letters"].value > 0


def test_a_worker_that_loses_frames_is_found_out(kafka_bootstrap: str, tmp_path: Path) -> None:
    figures = run(broken, kafka_bootstrap, tmp_path, setup=Setup(settle_s=10.0), variant="forgetful")
    assert not figures["lost"].met
    # One in fifty of each partition.
    assert figures["lost"].value == pytest.approx(figures["produced"].value / 50, abs=4)


@pytest.mark.timeout(600)
def test_a_worker_that_acks_what_it_has_read_is_found_out_when_it_is_killed(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    setup = replace(f01_killed.SETUP, settle_s=30.0)
    figures = run(f01_killed.killed, kafka_bootstrap, tmp_path, setup=setup, variant="ack-at-once")
    assert not figures["lost"].met


@pytest.mark.timeout(600)
def test_a_worker_that_commits_nothing_before_it_gives_up_partitions_is_found_out_by_restarts(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    setup = replace(f02_restarted.SETUP, settle_s=30.0)
    figures = run(f02_restarted.restarted, kafka_bootstrap, tmp_path, setup=setup, variant="no-drain")
    assert not figures["duplicates on the wire"].met


def test_what_is_published_outside_the_configured_topics_is_found_out(
    kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = f14_forged.ends, []

    def with_a_stranger(bootstrap: str) -> dict[str, int]:
        asked.append(bootstrap)
        return real(bootstrap) | {"chosen-by-the-sender": len(asked)}

    monkeypatch.setattr(f14_forged, "ends", with_a_stranger)
    figures = run(f14_forged.forged, kafka_bootstrap, tmp_path, setup=Setup())
    assert [name for name, figure in figures.items() if not figure.met] == ["published elsewhere"]
