"""How a status is shown: at 80 columns, and with a hundred cameras."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from consumers.reported import ProcessLine
from framelane.cli.status_shadows import shadow_table
from framelane.status_report import StatusReport
from framelane.status_rows import CameraLine, PipelineLine
from framelane.status_words import findings, partitions_text, seconds_text

MOST_CAMERAS = 10
MOST_FINDINGS = 12
_LONG_MS = 100_000.0
_COLOURS = {"running": "green", "starting": "yellow", "silent": "bold red", "stopped": "dim"}


def tables(report: StatusReport, *, all_cameras: bool = False, all_partitions: bool = False) -> RenderableType:
    """The status as tables, and what is wrong in words below them."""
    shown: list[RenderableType] = []
    if report.pipelines:
        shown.append(_pipelines(report.pipelines))
    if all_partitions:
        shown += [_partitions(line, report.workers) for line in report.pipelines if line.partitions]
    if report.workers:
        shown.append(_workers(report))
    if report.shadows:
        shown.append(shadow_table(report.shadows))
    if report.cameras:
        shown.append(_cameras(report.cameras, everything=all_cameras))
    apart = [each for one in shown for each in (one, Text())]
    return Group(*apart, *_words(report))


def worst_first(lines: Iterable[CameraLine]) -> list[CameraLine]:
    """Cameras that lose frames, then those of which none come out, then by the age of their frames."""

    def trouble(line: CameraLine) -> tuple[float, bool, float]:
        stuck = bool(line.pipeline) and line.processed_fps == 0
        return (-line.losing, not stuck, -(line.age_p99_ms or 0.0))

    return sorted(lines, key=trouble)


def _pipelines(lines: Sequence[PipelineLine]) -> Table:
    heads = ("workers", "parti-\ntions", "lag\nframes", "lag\ntime", "fps", "age in ms\np50 / p99", "dead\nletters")
    table = _table("pipeline", heads)
    for line in lines:
        # What the broker does not tell is unknown, which is not none.
        hidden = bool(line.trouble)
        table.add_row(
            _pipeline_name(line),
            "?" if hidden else str(len(line.members)),
            "?" if hidden and not line.partitions else str(len(line.partitions)),
            "?" if hidden else str(line.lag),
            "?" if hidden else seconds_text(line.lag_s),
            f"{line.fps:.1f}",
            _ages(line),
            str(sum(line.dead_lettered.values())),
        )
    return table


def _pipeline_name(line: PipelineLine) -> str:
    usual = line.group in (line.name, f"framelane.{line.name}")
    name = line.name if usual else f"{line.name} ({line.group})"
    return escape(name) + ("" if line.state == "stable" else f" [yellow]{line.state}[/]")


def _partitions(line: PipelineLine, workers: Sequence[ProcessLine]) -> Table:
    table = _table(f"{line.name}: partition", ("position", "end", "lag\nframes", "lag\ntime"))
    table.add_column("who has it", overflow="fold")
    hosts = {member.member_id: f"{member.client_id} at {member.host}" for member in line.members}
    # The broker knows no worker by its own name.
    names = {
        partition: worker.instance
        for worker in workers
        if worker.group == line.group and worker.state == "running"
        for partition in worker.partitions
    }
    for each in line.partitions:
        name = f"{each.topic}/{each.partition}"
        table.add_row(
            escape(name),
            "none" if each.committed is None else str(each.committed),
            "?" if each.leaderless else str(each.end),
            str(each.lag),
            seconds_text(each.lag_s),
            escape(names.get(name, hosts[each.member]) if each.member in hosts else "nobody"),
        )
    return table


def _workers(report: StatusReport) -> Table:
    table = _table("worker", ())
    for heading in ("pipeline", "state", "partitions"):
        table.add_column(heading, overflow="fold")
    table.add_column("fps", justify="right", no_wrap=True)
    for line in report.workers:
        seen = seconds_text(line.seen_s)
        since = {"silent": f" for {seen}", "stopped": f" {seen} ago"}.get(line.state, "")
        table.add_row(
            escape(line.instance),
            escape(line.pipeline.partition("@")[0]),
            f"[{_COLOURS[line.state]}]{line.state}{since}[/]",
            escape(partitions_text(line.partitions)) or "-",
            f"{line.fps:.1f}",
        )
    return table


def _cameras(lines: Sequence[CameraLine], *, everything: bool) -> RenderableType:
    shown = lines if everything or len(lines) <= MOST_CAMERAS else worst_first(lines)[:MOST_CAMERAS]
    several = len({line.pipeline for line in lines}) > 1
    table = _table("camera", ())
    if several:
        table.add_column("pipeline", overflow="fold", min_width=8)
    for heading in ("in\nfps", "out\nfps", "age in ms\np50 / p99", "drop-\nped", "stale", "dead", "gaps"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in shown:
        cells = [escape(line.camera), *([escape(line.pipeline) or "-"] if several else [])]
        cells += ["-" if line.captured_fps is None else f"{line.captured_fps:.1f}", f"{line.processed_fps:.1f}"]
        cells += [_ages(line), str(sum(line.dropped.values())), str(line.stale)]
        table.add_row(*cells, str(sum(line.dead_lettered.values())), str(line.gaps))
    left = len(lines) - len(shown)
    return Group(table, Text(f"the worst {len(shown)} of {len(lines)}; --cameras lists them all")) if left else table


def _words(report: StatusReport) -> list[Text]:
    found = findings(report)
    if not found:
        return [Text("All is well.", style="green")]
    lines = [
        Text(f"{each.what}", style="bold yellow").append(f": {each.mend}", style="not bold default") for each in found
    ]
    more = len(found) - MOST_FINDINGS
    return lines[:MOST_FINDINGS] + ([Text(f"and {more} more; --json has them all")] if more > 0 else [])


def _table(first: str, numbers: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column(first, overflow="fold", min_width=8)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _ages(line: PipelineLine | CameraLine) -> str:
    return " / ".join(map(_age, (line.age_p50_ms, line.age_p99_ms)))


def _age(age_ms: float | None) -> str:
    """In ms, as the heading says; what is late by minutes has a unit of its own, and still fits its column."""
    if age_ms is None:
        return "-"
    return f"{age_ms:.0f}" if age_ms < _LONG_MS else seconds_text(age_ms / 1000)
