"""Growth and slope of processes, after the first fifth of their time; and a real process that is sampled."""

import os
import subprocess
import sys
import time

import pytest
from soak_processes import ProcessSamples, Sample, trend


def samples(mb: list[float], *, every_s: float = 5.0) -> list[Sample]:
    return [Sample(number * every_s, each, 10 + number, 4) for number, each in enumerate(mb)]


def test_what_grows_is_seen_by_slope_and_quarters() -> None:
    found = trend("view", samples([100 + number for number in range(101)]))
    assert found.mb_per_min == pytest.approx(12)
    # Of 81 samples the first and the last 20.
    assert found.mb_growth == pytest.approx(61)
    assert found.descriptors_growth == pytest.approx(61)
    assert found.threads_growth == 0
    assert found.lived_s == 500


def test_what_is_filled_in_the_first_fifth_is_no_growth() -> None:
    found = trend("view", samples([*range(20), *[50.0] * 81]))
    assert found.mb_growth == found.mb_per_min == 0
    assert found.mb == 50


def test_a_process_is_sampled_until_it_ends() -> None:
    with ProcessSamples(every_s=0.02) as watched:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as program:
            watched.watch("program", program.pid)
            watched.watch("own", os.getpid())
            give_up = time.monotonic() + 10
            while len(watched.samples["program"]) < 5:
                assert time.monotonic() < give_up, watched.samples
                time.sleep(0.01)
            program.communicate(b"\n")
        count, own = len(watched.samples["program"]), len(watched.samples["own"])
        while len(watched.samples["own"]) < own + 5:
            assert time.monotonic() < give_up, watched.samples
            time.sleep(0.01)
    # One may have been on its way.
    assert len(watched.samples["program"]) <= count + 1
    assert all(each.mb > 1 and each.descriptors >= 1 and each.threads >= 1 for each in watched.samples["program"])
    assert [each.name for each in watched.trends(least_s=0.01)] == ["program", "own"]
    assert watched.trends(least_s=1000) == []
