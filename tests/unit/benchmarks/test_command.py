"""`python -m benchmarks`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_names_every_benchmark() -> None:
    done = run("--help")

    assert done.returncode == 0
    for name in (
        "throughput",
        "plan",
        "latency",
        "cameras",
        "sizes",
        "partitions",
        "freshness",
        "passing",
        "subscribing",
        "memory",
        "sweep",
    ):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["speed"], "'speed': there is none of that name; there are throughput"),
        (["throughput", "--rounds", "0"], "--rounds 0: expected 1 at the least"),
        (["throughput", "--video", "absent.mp4"], "--video absent.mp4: no such file"),
        (["throughput", "--size", "big"], "--size 'big'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(arguments: list[str], named: str) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert named in done.stderr
    assert "starting Kafka" not in done.stderr
