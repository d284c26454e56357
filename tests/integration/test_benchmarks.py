"""The benchmarks' own machinery, on a real Kafka: what is timed, and that wrong or missing outputs are found."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.bench import Bench, Input, open_bench
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, run_once
from benchmarks.settings import BenchSettings
from streams.contract.errors import FramelaneError

FRAMES = 200


@pytest.fixture(scope="module")
def bench(kafka_bootstrap: str) -> Iterator[Bench]:
    settings = BenchSettings(bootstrap=kafka_bootstrap, frames=FRAMES, threads=2)
    with open_bench(settings, lambda _: None) as opened:
        yield opened


@pytest.fixture(scope="module")
def given(bench: Bench) -> Iterator[Input]:
    with bench.preloaded() as topic:
        yield topic


@pytest.fixture(scope="module")
def outputs(bench: Bench, given: Input) -> Outputs:
    return Outputs(bench.new_job(given))


@pytest.mark.parametrize("contender", ["in_process", "hand_written", "ours", "plain_agent"])
def test_a_contender_is_timed_and_its_pixels_are_those_of_the_others(
    bench: Bench, given: Input, outputs: Outputs, contender: str
) -> None:
    job = bench.new_job(given)

    sample = run_once(bench, Entrant(label=contender, contender=contender, given=given, job=job, outputs=outputs))

    assert sample.fps > 0 and sample.cpu_ms > 0
    assert sample.broker_cpu_ms is None


def test_other_pixels_are_found(bench: Bench, given: Input, outputs: Outputs) -> None:
    job = bench.new_job(given)
    worse = replace(job, quality=50)

    with pytest.raises(FramelaneError, match="its pixels differ"):
        run_once(bench, Entrant(label="worse", contender="ours", given=given, job=worse, outputs=outputs))


def test_a_contender_that_dies_is_an_error_that_shows_its_log(bench: Bench, given: Input, outputs: Outputs) -> None:
    job = bench.new_job(given)
    nowhere = replace(job, extra=(("operators", '{ op = "absent" }'),))

    with pytest.raises(FramelaneError, match="absent"):
        run_once(bench, Entrant(label="nowhere", contender="ours", given=given, job=nowhere, outputs=outputs))
