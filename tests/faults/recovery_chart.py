"""A run as a picture: frames per second of each camera over time, with what was done to it marked."""

from collections import Counter
from collections.abc import Sequence
from math import floor
from pathlib import Path

from figures import Injury, first_occurrences
from reader import Arrival

BIN_S = 0.5
_INK, _LINE, _FAULT, _GRID = "#222222", "#1f6f8b", "#c0392b", "#dddddd"
_INCHES_PER_S, _LEAST_INCHES, _MOST_INCHES = 0.12, 9.0, 36.0


def rates(arrivals: Sequence[Arrival], *, start_s: float) -> dict[str, list[tuple[float, float]]]:
    """(s from start_s on, new outputs per second) of each camera, each half second from its first to the run's last.

    What a camera lost is seen by its silence: bins without a frame are there, with 0.
    """
    firsts = first_occurrences(arrivals)
    counts: dict[str, Counter[int]] = {}
    for arrival in firsts:
        assert arrival.name is not None
        counts.setdefault(arrival.name.camera_id, Counter())[floor((arrival.at_s - start_s) / BIN_S)] += 1
    last = max((max(each) for each in counts.values()), default=0)
    return {
        camera: [(n * BIN_S, each[n] / BIN_S) for n in range(min(each), last + 1)]
        for camera, each in sorted(counts.items())
    }


def draw(arrivals: Sequence[Arrival], injuries: Sequence[Injury], path: Path, *, title: str) -> None:
    """Write it as a PNG; nothing where no camera has an output."""
    from matplotlib.figure import Figure

    start_s = min((arrival.at_s for arrival in arrivals if not arrival.is_letter), default=0.0)
    lines = rates(arrivals, start_s=start_s)
    if not lines:
        return
    length_s = max(points[-1][0] for points in lines.values())
    width = min(_MOST_INCHES, max(_LEAST_INCHES, _INCHES_PER_S * length_s))
    figure = Figure(figsize=(width, 1.1 + 1.1 * len(lines)), layout="constrained")
    every = figure.subplots(len(lines), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    every[0].set_title(title, loc="left", color=_INK, fontsize=11)
    for axes, (camera, points) in zip(every, lines.items(), strict=True):
        for injury in injuries:
            at_s, until_s = injury.at_s - start_s, injury.until_s - start_s
            axes.axvline(at_s, color=_FAULT, linewidth=1.2)
            if until_s > at_s:
                axes.axvspan(at_s, until_s, color=_FAULT, alpha=0.15, linewidth=0)
        axes.step([x for x, _ in points], [y for _, y in points], where="post", color=_LINE, linewidth=1.2)
        axes.set_ylabel(camera, rotation=0, horizontalalignment="right", color=_INK, fontsize=9)
        axes.grid(color=_GRID)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for injury in injuries:
        place = {"transform": every[0].get_xaxis_transform(), "fontsize": 8, "color": _FAULT}
        every[0].text(injury.at_s - start_s, 1.0, f" {injury.what}", verticalalignment="top", **place)
    every[-1].set_ylim(0, 1.1 * max(y for points in lines.values() for _, y in points))
    every[-1].set_xlabel("seconds; frames per second of each camera, new outputs only; red: what was done")
    figure.savefig(path, dpi=110)
