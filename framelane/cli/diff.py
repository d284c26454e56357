"""`framelane diff`."""

import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import DEFAULT_WAIT, Bootstrap, Config, LogLevel, Wait, kafka_settings, seconds
from framelane.cli.receiving import Cameras
from framelane.printable import printable
from streams.contract.times import parse_time

if TYPE_CHECKING:
    from framelane.diff.asked import Asked
    from framelane.diff.compare import Compared
    from streams.contract.kafka_settings import KafkaSettings


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A topic of frames: what the other is held against.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one, as the OUTPUT of a replay.")],
    *,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="Write a report there: one file, complete.")
    ] = None,
    psnr: Annotated[
        float, typer.Option("--psnr", metavar="DB", help="Pictures at least so alike are the same; 0: all are.")
    ] = math.inf,
    event_tolerance: Annotated[
        float,
        typer.Option("--event-tolerance", metavar="N", help="Numbers in events that differ by no more are the same."),
    ] = 1e-6,
    ignore_events: Annotated[bool, typer.Option("--ignore-events", help="Compare frames alone.")] = False,
    only_events: Annotated[
        bool, typer.Option("--only-events", help="Compare events alone; A and B need not exist.")
    ] = False,
    camera: Cameras = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Captured from then on: -8h, or RFC 3339. Default: all."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Captured before then: -5m, RFC 3339. Default: now."),
    ] = None,
    common: Annotated[
        bool, typer.Option("--common", help="Of each camera only the time that both sides have.")
    ] = False,
    pipeline_a: Annotated[
        str | None, typer.Option("--pipeline-a", metavar="NAME", help="Of A, only what this one has made.")
    ] = None,
    pipeline_b: Annotated[str | None, typer.Option("--pipeline-b", metavar="NAME", help="The same of B.")] = None,
    events_a: Annotated[
        str | None,
        typer.Option("--events-a", metavar="TOPIC", help="A's events. Default: A.events, or else frames.events."),
    ] = None,
    events_b: Annotated[str | None, typer.Option("--events-b", metavar="TOPIC", help="The same of B.")] = None,
    dead_letter_a: Annotated[
        str | None,
        typer.Option(
            "--dead-letter-a", metavar="TOPIC", help="A's. Default: A.dead-letter, or else frames.dead-letter."
        ),
    ] = None,
    dead_letter_b: Annotated[
        str | None, typer.Option("--dead-letter-b", metavar="TOPIC", help="The same of B.")
    ] = None,
    worst: Annotated[
        int, typer.Option("--worst", min=0, max=50, help="So many pairs in the report, of pictures and of events.")
    ] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object on stdout.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Compare two topics of frames: what was live, a replay, another replay.

    Frame by frame, by name (camera, epoch, sequence): which are missing in B, which are extra, whose picture or whose
    events have changed. Repeats count once. The exit code is 0 when they are the same, and 1 when they differ, or when
    there is nothing to compare.

    **Examples**

    `framelane diff frames.processed frames.replay.night --common --html night.html`

    `framelane diff frames.replay.old frames.replay.new --psnr 50 --event-tolerance 0.01 --json`
    """
    from framelane.logs import set_up_logging
    from framelane.waiting import wait_for_kafka

    set_up_logging(log_level)
    asked = _asked(
        topics=(a, b),
        events=(events_a, events_b),
        dead_letters=(dead_letter_a, dead_letter_b),
        pipelines=(pipeline_a, pipeline_b),
        cameras=camera,
        period=(since, until),
        common=common,
        only_events=only_events,
        ignore_events=ignore_events,
        psnr=psnr,
        event_tolerance=event_tolerance,
        worst=worst,
    )
    kafka = kafka_settings(bootstrap, config)
    named = [topic for side in asked.sides for topic in (side.events, side.dead_letter) if topic is not None]
    topics = list(dict.fromkeys([*([] if only_events else [a, b]), *named]))
    wait_for_kafka(kafka, topics, wait_s=seconds(wait, option="--wait"), read=topics)
    _compare(kafka, asked, html=html, as_json=as_json)


def _asked(
    *,
    topics: tuple[str, str],
    events: tuple[str | None, str | None],
    dead_letters: tuple[str | None, str | None],
    pipelines: tuple[str | None, str | None],
    cameras: list[str] | None,
    period: tuple[str | None, str | None],
    common: bool,
    only_events: bool,
    ignore_events: bool,
    psnr: float,
    event_tolerance: float,
    worst: int,
) -> "Asked":
    from framelane.diff.asked import Asked, Side
    from streams.contract.camera_globs import CameraGlobs

    a, b = (
        Side(topic=topic, events=of_events, dead_letter=letters, pipeline=pipeline)
        for topic, of_events, letters, pipeline in zip(topics, events, dead_letters, pipelines, strict=True)
    )
    now_ns = time.time_ns()
    since, until = period
    return Asked(
        sides=(a, b),
        cameras=CameraGlobs.of(cameras),
        since_ns=None if since is None else parse_time(since, now_ns=now_ns),
        # What comes while the one side is read would be missing from the other.
        until_ns=now_ns if until is None else parse_time(until, now_ns=now_ns),
        common=common,
        frames=not only_events,
        events=not ignore_events,
        psnr=psnr,
        tolerance=event_tolerance,
        worst=worst,
    )


def _compare(kafka: "KafkaSettings", asked: "Asked", *, html: Path | None, as_json: bool) -> None:
    from framelane.diff.compare import compare
    from framelane.diff.words import values
    from framelane.progress_bar import progress_bar
    from streams.settings import cores

    compared = compare(kafka, asked, threads=cores(), bar=progress_bar)
    if as_json:
        print(json.dumps(values(asked, compared.outcome)))
    else:
        _show(asked, compared)
    # Last, for where that cannot be written the figures are told all the same.
    if html is not None:
        _write_report(kafka, asked, compared, html)
    if compared.outcome.differs or compared.outcome.empty:
        raise typer.Exit(1)


def _write_report(kafka: "KafkaSettings", asked: "Asked", compared: "Compared", path: Path) -> None:
    from importlib.metadata import version

    from framelane.diff.report import report
    from framelane.diff.shown import shown_pairs
    from framelane.diff.words import moment
    from framelane.whole_file import write_whole

    made = f"{moment(time.time_ns())} by framelane {version('framelane')}"
    page = report(asked, compared.outcome, shown_pairs(kafka, asked, compared), made=made)
    write_whole(path, page.encode())
    print(f"framelane diff: report: {path}", file=sys.stderr)


def _show(asked: "Asked", compared: "Compared") -> None:
    from rich.markup import escape
    from rich.table import Table

    from framelane.cli.topic_table import wide_console
    from framelane.diff.words import HEADS, described, remarks, row, total, verdict

    outcome, console = compared.outcome, wide_console()
    for name, told in described(asked, outcome).items():
        console.print(escape(printable(f"{name}: {told}")), highlight=False)
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(HEADS):
        table.add_column(heading, justify="right" if place else "left")
    for name, camera in outcome.in_order():
        table.add_row(*(escape(printable(text)) for text in row(name, camera)))
    if len(outcome.cameras) > 1:
        table.add_row(*(escape(printable(text)) for text in row("all", total(outcome))))
    console.print(table)
    for remark in remarks(outcome, asked):
        console.print(escape(printable(remark)), highlight=False)
    console.print(escape(printable(verdict(outcome))), highlight=False)
