"""What a benchmark has found: a table, targets met or not, bars for the chart, and the measurements themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A figure beside what it is to be. text: what is compared. value: as found. wanted: such as ">= 0.95"."""

    text: str
    value: float
    sign: str
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure is as wanted."""
        return self.value >= self.limit if self.sign == ">=" else self.value <= self.limit

    def __str__(self) -> str:
        verdict = "met" if self.met else "**not met**"
        return f"{self.text}: {self.value:.2f}{self.unit}, wanted {self.sign} {self.limit:g}{self.unit}: {verdict}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, from 0 to value, with the range from low to high."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The result of one benchmark.

    name: as on the command line. header, rows: a table of text. bars: in `unit`; lines: (x, y) by label, x in minutes.
    notes: sentences below the table. data: the measurements, ready for JSON.
    """

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    unit: str = "frames/s"
    bars: Sequence[Bar] = ()
    lines: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
