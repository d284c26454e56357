"""What pipelines cost, as a picture: processor time by stage, and frames a second by threads."""

from collections.abc import Sequence

import cv2
import numpy as np

from framelane.pipeline_bench import PipelineCost
from framelane.sheet_drawing import BACKGROUND, BOLD, BRIGHT, CELL, DIM, NORMAL, text_width, write
from streams.contract.images import Image

_MARGIN, _TITLE, _HEAD, _ROW, _BAR, _LEGEND = 32, 72, 44, 38, 26, 30
_NAMES, _PLOT, _FIGURE = 190, 760, 170
# Stages take these in turn, decode first; told apart by their lightness, too.
_COLOURS = ((196, 148, 82), (90, 170, 240), (120, 200, 90), (190, 120, 190), (90, 90, 225), (180, 190, 120))
_SPEED = (150, 110, 190)


def cost_chart(costs: Sequence[PipelineCost], *, title: str, subtitle: str) -> Image:
    """Draw them one below the other, each in bars of its own scale. Returns uint8 (H, W, 3) BGR."""
    width = 2 * _MARGIN + _NAMES + _PLOT + _FIGURE
    height = _TITLE + sum(_height(cost) for cost in costs) + _MARGIN
    chart: Image = np.full((height, width, 3), BACKGROUND, np.uint8)
    right = text_width(subtitle, size=17, weight=NORMAL)
    write(chart, title, at=(_MARGIN, 45), room=width - 2 * _MARGIN - right - 24, size=28, weight=BOLD)
    write(chart, subtitle, at=(width - _MARGIN - right, 45), room=right, size=17, colour=DIM)
    y = _TITLE
    for cost in costs:
        _draw(chart, cost, y)
        y += _height(cost)
    return chart


def _height(cost: PipelineCost) -> int:
    rows = 1 if cost.planned.failure else 2 + len(cost.speeds)
    return _HEAD + rows * _ROW + (0 if cost.planned.failure else 2 * _LEGEND)


def _draw(chart: Image, cost: PipelineCost, y: int) -> None:
    write(chart, cost.label, at=(_MARGIN, y + 26), room=_NAMES + _PLOT, size=20, weight=BOLD)
    y += _HEAD
    if cost.planned.failure:
        write(chart, cost.planned.failure, at=(_MARGIN, y + 20), room=_NAMES + _PLOT, size=17, colour=DIM)
        return
    most = max(cost.planned.total, cost.unplanned.total)
    for name, times in (("planned", cost.planned), ("whole decode", cost.unplanned)):
        shares = [(times.milliseconds.get(stage, 0.0) / most, _colour(cost, stage)) for stage in cost.stages]
        _row(chart, y, name, shares, f"{times.total:.2f} ms a frame")
        y += _ROW
    _write_legend(chart, cost, y)
    y += 2 * _LEGEND
    fastest = max(speed.median for speed in cost.speeds)
    for speed in cost.speeds:
        threads = f"{speed.threads} thread{'s' if speed.threads > 1 else ''}"
        name = threads if speed.plan else f"{threads}, whole"
        _row(chart, y, name, [(speed.median / fastest, _SPEED)], f"{speed.median:.0f} frames/s")
        y += _ROW


def _colour(cost: PipelineCost, stage: str) -> tuple[int, int, int]:
    return _COLOURS[cost.stages.index(stage) % len(_COLOURS)]


def _row(chart: Image, y: int, name: str, shares: Sequence[tuple[float, tuple[int, int, int]]], figure: str) -> None:
    write(chart, name, at=(_MARGIN, y + 19), room=_NAMES - 12, size=17, colour=DIM)
    left = _MARGIN + _NAMES
    cv2.rectangle(chart, (left, y), (left + _PLOT - 1, y + _BAR - 1), CELL, cv2.FILLED)
    x = float(left)
    for share, colour in shares:
        end = x + share * _PLOT
        if round(end) > round(x):
            cv2.rectangle(chart, (round(x), y), (round(end) - 1, y + _BAR - 1), colour, cv2.FILLED)
        x = end
    write(chart, figure, at=(left + _PLOT + 14, y + 19), room=_FIGURE - 14, size=17, colour=BRIGHT)


def _write_legend(chart: Image, cost: PipelineCost, y: int) -> None:
    """Stage by stage with its milliseconds, in as many lines as there is room for: two."""
    x, line = _MARGIN + _NAMES, 0
    for stage in cost.stages:
        planned, whole = (each.milliseconds.get(stage, 0.0) for each in (cost.planned, cost.unplanned))
        text = f"{stage} {planned:.2f}" if abs(planned - whole) < 0.005 else f"{stage} {planned:.2f} / {whole:.2f}"
        width = 20 + text_width(text, size=15, weight=NORMAL) + 18
        if x + width > _MARGIN + _NAMES + _PLOT + _FIGURE and line == 0:
            x, line = _MARGIN + _NAMES, 1
        top = y + line * 22
        cv2.rectangle(chart, (x, top + 4), (x + 12, top + 16), _colour(cost, stage), cv2.FILLED)
        write(chart, text, at=(x + 18, top + 16), room=chart.shape[1] - x - 18, size=15, colour=DIM)
        x += width
