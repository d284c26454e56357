"""Latency by hop as a picture: a histogram for each, one below the other over the same axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import cv2
import numpy as np

from framelane.latency import Hop, Latencies
from framelane.sheet_drawing import ACCENT, BACKGROUND, BOLD, BRIGHT, CELL, DIM, NORMAL, text_width, write
from streams.contract.images import Image

_MARGIN, _TITLE, _HEADS, _AXIS = 32, 72, 34, 36
_NAMES, _PLOT, _FIGURE, _GAP = 250, 720, 92, 24
_ROW, _ROW_GAP = 92, 12
_BARS_PER_DECADE = 20
_MOST_DECADES, _LEAST_DECADES = 7, 2
_BAR, _WHOLE = (196, 148, 82), (150, 110, 190)
_WRONG = (90, 90, 235)
_GRID, _MINOR = (72, 66, 62), (54, 49, 46)
# What stands at the right, and as a line in the histogram.
_QUANTILES = ((0.5, "p50", BRIGHT), (0.95, "p95", ACCENT), (0.99, "p99", (80, 190, 250)))


@dataclass(frozen=True, slots=True)
class Axis:
    """Seconds on a logarithmic axis, from 10**low to 10**high."""

    low: int
    high: int

    @classmethod
    def over(cls, all_times: Sequence[Latencies]) -> "Axis":
        """As many whole decades as hold nearly all of them; two at least, seven at most."""
        sound = [times for times in all_times if times.count]
        top = max((times.max_s for times in sound), default=1.0)
        bottom = min((times.quantile(0.001) or 0.0 for times in sound), default=0.1)
        high = max(-4, ceil(log10(max(top, 1e-5))))
        low = min(high - _LEAST_DECADES, floor(log10(max(bottom, 1e-5))))
        return cls(max(low, high - _MOST_DECADES), high)

    @property
    def edges_s(self) -> list[float]:
        """Where the bars begin and end."""
        steps = (self.high - self.low) * _BARS_PER_DECADE
        return [10 ** (self.low + step / _BARS_PER_DECADE) for step in range(steps + 1)]

    def place(self, seconds: float) -> float:
        """Where a length lies on it: 0 to 1."""
        return min(1.0, max(0.0, (log10(max(seconds, 1e-9)) - self.low) / (self.high - self.low)))


def latency_chart(hops: Sequence[Hop], *, title: str, subtitle: str) -> Image:
    """Draw them in the order given, one at least. Returns uint8 (H, W, 3) BGR."""
    axis = Axis.over([hop.times for hop in hops])
    width = 2 * _MARGIN + _NAMES + _PLOT + _GAP + (len(_QUANTILES) + 1) * _FIGURE
    top = _TITLE + _HEADS
    height = top + len(hops) * (_ROW + _ROW_GAP) + _AXIS
    chart: Image = np.full((height, width, 3), BACKGROUND, np.uint8)
    _write_heads(chart, title, subtitle)
    left = _MARGIN + _NAMES
    for number, hop in enumerate(hops):
        y = top + number * (_ROW + _ROW_GAP)
        _draw_name(chart, hop, y)
        _draw_bars(chart[y : y + _ROW, left : left + _PLOT], hop, axis)
        _write_figures(chart, hop.times, y)
    _write_axis(chart, axis, left, top + len(hops) * (_ROW + _ROW_GAP))
    return chart


def duration_text(seconds: float | None) -> str:
    """A latency for people, with three figures at the most: 0.42 ms, 17.3 ms, 1.25 s, 12 min."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{_short(seconds * 1000)} ms"
    return f"{_short(seconds)} s" if seconds < 600 else f"{_short(seconds / 60)} min"


def decade_text(decade: int) -> str:
    """10**decade seconds for people: 10 µs, 1 ms, 100 s."""
    unit, power = ("µs", decade + 6) if decade < -4 else ("ms", decade + 3) if decade < 0 else ("s", decade)
    return f"{10.0**power:g} {unit}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 99.95 else f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def _write_heads(chart: Image, title: str, subtitle: str) -> None:
    width = chart.shape[1]
    right = text_width(subtitle, size=17, weight=NORMAL)
    write(chart, title, at=(_MARGIN, 45), room=width - 2 * _MARGIN - right - _GAP, size=28, weight=BOLD)
    write(chart, subtitle, at=(width - _MARGIN - right, 45), room=right, size=17, colour=DIM)
    heads = [*((name, colour) for _, name, colour in _QUANTILES), ("max", DIM)]
    for column, (name, colour) in enumerate(heads):
        _write_right(chart, name, column, _TITLE + 18, size=17, weight=BOLD, colour=colour)


def _draw_name(chart: Image, hop: Hop, y: int) -> None:
    name = hop.name.replace("->", "→")
    write(chart, name, at=(_MARGIN, y + 34), room=_NAMES - 16, size=18, weight=BOLD)
    count = f"{hop.times.count:,} frames"
    write(chart, count, at=(_MARGIN, y + 58), room=_NAMES - 16, size=15, colour=DIM)
    if hop.times.negative:
        told = f"{hop.times.negative:,} negative, to -{duration_text(-hop.times.least_s)}"
        write(chart, told, at=(_MARGIN, y + 80), room=_NAMES - 16, size=15, colour=_WRONG)


def _draw_bars(plot: Image, hop: Hop, axis: Axis) -> None:
    """One histogram, as high as its highest bar."""
    plot[:] = CELL
    height, width = plot.shape[:2]
    for decade in range(axis.low, axis.high):
        for step in range(1, 10):
            x = min(width - 1, round(axis.place(step * 10.0**decade) * width))
            plot[:, x] = _GRID if step == 1 else _MINOR
    counts = hop.times.counts(axis.edges_s)
    most = max(counts)
    for number, count in enumerate(counts):
        if count:
            # What is rare is seen all the same.
            tall = max(2, round(count / most * (height - 10)))
            left, right = round(number * width / len(counts)), round((number + 1) * width / len(counts))
            plot[height - tall :, left : max(left + 1, right - 1)] = _WHOLE if hop.whole else _BAR
    for share, _, colour in _QUANTILES:
        seconds = hop.times.quantile(share)
        if seconds is not None:
            x = min(width - 2, round(axis.place(seconds) * width))
            plot[:, x : x + 2] = colour


def _write_figures(chart: Image, times: Latencies, y: int) -> None:
    figures = [(times.quantile(share), colour) for share, _, colour in _QUANTILES]
    figures.append((times.max_s if times.count else None, DIM))
    for column, (seconds, colour) in enumerate(figures):
        _write_right(chart, duration_text(seconds), column, y + _ROW // 2 + 6, size=17, weight=NORMAL, colour=colour)


def _write_right(
    chart: Image, text: str, column: int, y: int, *, size: int, weight: int, colour: tuple[int, int, int]
) -> None:
    right = _MARGIN + _NAMES + _PLOT + _GAP + (column + 1) * _FIGURE
    width = text_width(text, size=size, weight=weight)
    write(chart, text, at=(right - width, y), room=width, size=size, weight=weight, colour=colour)


def _write_axis(chart: Image, axis: Axis, left: int, y: int) -> None:
    for decade in range(axis.low, axis.high + 1):
        x = left + min(_PLOT - 1, round(axis.place(10.0**decade) * _PLOT))
        cv2.line(chart, (x, y - _ROW_GAP), (x, y - _ROW_GAP + 5), DIM, 1)
        text = decade_text(decade)
        width = text_width(text, size=15, weight=NORMAL)
        write(chart, text, at=(x - width // 2, y + 12), room=width, size=15, colour=DIM)
