"""How latencies are shown in a terminal, and as JSON."""

import json
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from framelane.latency import HopTimes, Latencies
from framelane.latency_chart import Axis, decade_text
from framelane.printable import printable

MOST_CAMERAS = 10
_BLOCKS = " ▁▂▃▄▅▆▇█"
_HEADS = ("frames", "p50 ms", "p95 ms", "p99 ms", "max ms", "negative")
_QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
# Characters of a histogram for each decade of its axis.
_CELLS = 8


def latency_tables(times: HopTimes) -> RenderableType:
    """Hops with their histograms; then pipelines and the worst cameras, from end to end."""
    shown: list[RenderableType] = [_hops(times), Text()]
    if len(times.by_pipeline) > 1:
        shown += [_ends(times, "pipeline", [(name or "-", each) for name, each in sorted(times.by_pipeline.items())])]
        shown += [Text()]
    worst = [
        (f"{camera} ({pipeline.partition('@')[0]})" if len(times.by_pipeline) > 1 and pipeline else camera, each)
        for pipeline, camera, each in times.worst_cameras(MOST_CAMERAS)
    ]
    shown.append(_ends(times, "camera", worst))
    if (left := len(times.by_camera) - len(worst)) > 0:
        shown.append(Text(f"the worst {len(worst)} of {len(worst) + left}; --json lists them all"))
    negative = sum(hop.times.negative for hop in times.hops)
    if negative:
        text = f"{negative} differences are below zero and in no other figure: a clock is ahead; run NTP where it is"
        shown.append(Text(text, style="bold yellow"))
    return Group(*shown)


def latency_json(times: HopTimes, *, topic: str) -> str:
    """All of it as one JSON object; lengths in ms, times in ns since 1970. histogram: [up to ms, frames]."""
    hops = [
        {"hop": hop.name, "start": hop.start, "end": hop.end} | _figures(hop.times) | {"histogram": _counts(hop.times)}
        for hop in times.shown()
    ]
    cameras = [
        {"camera_id": camera, "pipeline": pipeline} | _figures(each)
        for pipeline, camera, each in times.worst_cameras(len(times.by_camera))
    ]
    return json.dumps(
        {
            "topic": topic,
            "frames": times.frames,
            "captured_from_ns": times.first_ns,
            "captured_to_ns": times.last_ns,
            "hops": hops,
            "whole": times.whole,
            "pipelines": [{"pipeline": name} | _figures(each) for name, each in sorted(times.by_pipeline.items())],
            "cameras": cameras,
        }
    )


def _hops(times: HopTimes) -> Table:
    shown = times.shown()
    axis = Axis.over([hop.times for hop in shown])
    table = _table("hop")
    low, high = decade_text(axis.low), decade_text(axis.high)
    cells = (axis.high - axis.low) * _CELLS
    table.add_column(f"{low}{high:>{max(1, cells - len(low))}}", no_wrap=True)
    edges = [10 ** (axis.low + step / _CELLS) for step in range(cells + 1)]
    for hop in shown:
        style = "bold" if hop.whole else ""
        table.add_row(hop.name, *_cells(hop.times), _spark(hop.times.counts(edges)), style=style)
    return table


def _ends(times: HopTimes, what: str, lines: list[tuple[str, Latencies]]) -> Table:
    table = _table(f"{what}: {times.whole}")
    for name, each in lines:
        table.add_row(escape(printable(name)), *_cells(each))
    return table


def _table(first: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column(first, overflow="fold", min_width=24)
    for name in _HEADS:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(times: Latencies) -> list[str]:
    figures = [times.quantile(share) for share in _QUANTILES.values()]
    figures.append(times.max_s if times.count else None)
    negative = f"{times.negative} (to {times.least_s * 1000:.1f})" if times.negative else "-"
    return [str(times.count), *("-" if each is None else f"{each * 1000:.2f}" for each in figures), negative]


def _spark(counts: list[int]) -> str:
    most = max(1, *counts)
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts)


def _figures(times: Latencies) -> dict[str, Any]:
    quantiles = {name: times.quantile(share) for name, share in _QUANTILES.items()}
    figures = {name: None if each is None else round(each * 1000, 4) for name, each in quantiles.items()}
    ends = {"max_ms": round(times.max_s * 1000, 4), "negative": times.negative, "least_ms": times.least_s * 1000}
    return {"frames": times.count} | figures | ends


def _counts(times: Latencies) -> list[tuple[float, int]]:
    """Ten steps a decade, those without frames left out."""
    edges = [10 ** (-5 + step / 10) for step in range(101)]
    counts = zip(edges[1:], times.counts(edges), strict=True)
    return [(round(edge * 1000, 6), count) for edge, count in counts if count]
