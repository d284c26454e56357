"""How fast a replay is beside a worker: its figure."""

import pytest

from benchmarks.figures import Sample
from benchmarks.suites.replay import REPLAY, SHARED, WORKER, section


@pytest.mark.parametrize(("fps", "met"), [((90, 100, 50), True), ((80, 89, 90), False)])
def test_the_target_is_the_median_of_the_rounds_ratios(fps: tuple[float, ...], met: bool) -> None:
    replayed = [Sample(fps=each, cpu_ms=1.0, broker_cpu_ms=None) for each in fps]
    worker = [Sample(fps=each, cpu_ms=1.0, broker_cpu_ms=None) for each in (100.0, 100.0, 55.0)]
    found = section({WORKER: worker, REPLAY: replayed, SHARED: replayed}, size=(1280, 720), frames=20_000)
    (target,) = found.targets
    assert target.met is met
    assert "20000 frames of 1280x720" in found.title
