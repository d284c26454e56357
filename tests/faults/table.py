"""One table of all runs, in Markdown: a row for each fault, min / median / max over its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from figures import Figure

COLUMNS = (
    "produced",
    "lost",
    "duplicates on the wire",
    "duplicates allowed",
    "duplicates at the subscriber",
    "out of order",
    "recovery s",
    "darkest camera s",
    "rebalances",
    "dead letters",
    "memory MB",
)
# Shown where they are not what they must be.
_SILENT = ("strangers", "wrong dead letters", "agent restarts")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a fault gave. failure: why it gave no figures, or "" where it did."""

    number: str
    title: str
    seed: int
    figures: tuple[Figure, ...]
    failure: str = ""
    seconds: float = 0.0


def unmet(run: Run) -> list[str]:
    """What the run did not keep to, a line each."""
    where = f"{run.number} {run.title}, seed {run.seed}"
    lines = [f"{where}: {run.failure}"] if run.failure else []
    for figure in run.figures:
        if not figure.met:
            wanted = f"{figure.limit:g}" if figure.exact else f"at most {figure.limit:g}"
            lines.append(f"{where}: {figure.name} is {figure.value:g}, must be {wanted}")
    return lines


def table(runs: Sequence[Run]) -> str:
    """The table, in Markdown; a cell with ! holds a value that is not met."""
    faults = dict.fromkeys((run.number, run.title) for run in runs)
    rows = [_row([run for run in runs if (run.number, run.title) == fault]) for fault in faults]
    header = ["fault", "repeats", *COLUMNS, "and", "result"]
    widths = [max(len(row[n]) for row in [header, *rows]) for n in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _row(runs: Sequence[Run]) -> list[str]:
    by_name: dict[str, list[Figure]] = {}
    for run in runs:
        for figure in run.figures:
            by_name.setdefault(figure.name, []).append(figure)
    others = [name for name in by_name if name not in COLUMNS]
    also = [
        f"{name} {_cell(by_name[name])}"
        for name in others
        if name not in _SILENT or not all(figure.met for figure in by_name[name])
    ]
    cells = [_cell(by_name.get(name, [])) for name in COLUMNS]
    verdict = "falls short" if any(unmet(run) for run in runs) else "pass"
    return [f"{runs[0].number} {runs[0].title}", str(len(runs)), *cells, ", ".join(also), verdict]


def _cell(figures: Sequence[Figure]) -> str:
    if not figures:
        return "-"
    values = [figure.value for figure in figures]
    spread = (min(values), median(values), max(values))
    text = _number(values[0]) if len(set(map(_number, spread))) == 1 else " / ".join(map(_number, spread))
    return text if all(figure.met for figure in figures) else f"{text} !"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
