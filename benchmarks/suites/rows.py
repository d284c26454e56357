"""Samples of a race as the rows, bars and data of a section."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.figures import Sample, paired_ratio, spread
from benchmarks.section import Bar

HEADER = ("contender", "frames/s", "CPU ms a frame", "broker CPU ms a frame")


def rows(found: Mapping[str, Sequence[Sample]]) -> list[tuple[str, ...]]:
    """A row for each contender: medians, and smallest and largest values in brackets."""
    return [(label, *_cells(samples)) for label, samples in found.items()]


def bars(found: Mapping[str, Sequence[Sample]]) -> list[Bar]:
    """A bar for each contender: frames a second."""
    return [
        Bar(label, across.median, across.low, across.high)
        for label, samples in found.items()
        for across in (spread([sample.fps for sample in samples]),)
    ]


def data(found: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    """Every sample, for JSON."""
    return {label: [asdict(sample) for sample in samples] for label, samples in found.items()}


def fps_ratio(found: Mapping[str, Sequence[Sample]], ours: str, theirs: str) -> float:
    """Frames a second of one by those of the other: the median of the rounds' ratios."""
    return paired_ratio([each.fps for each in found[ours]], [each.fps for each in found[theirs]]).median


def cpu_ratio(found: Mapping[str, Sequence[Sample]], ours: str, theirs: str) -> float:
    """Processor time a frame of one by that of the other: the median of the rounds' ratios."""
    return paired_ratio([each.cpu_ms for each in found[ours]], [each.cpu_ms for each in found[theirs]]).median


def _cells(samples: Sequence[Sample]) -> tuple[str, ...]:
    broker = [sample.broker_cpu_ms for sample in samples if sample.broker_cpu_ms is not None]
    return (
        f"{spread([sample.fps for sample in samples]):.0f}",
        f"{spread([sample.cpu_ms for sample in samples]):.2f}",
        f"{spread(broker):.2f}" if broker else "not ours",
    )
