"""`framelane status`."""

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import DEFAULT_WAIT, Bootstrap, Config, LogLevel, Wait, kafka_settings, seconds
from streams.contract.errors import BrokerUnavailable, SettingError
from streams.contract.topics import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from framelane.status_report import StatusReport

_LEAST_S = 0.5


def status(
    *,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="One more consumer group to tell of; may be repeated."),
    ] = None,
    cameras: Annotated[bool, typer.Option("--cameras", help="List every camera, not just the worst ten.")] = False,
    partitions: Annotated[bool, typer.Option("--partitions", help="List every partition, with who has it.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="And the workers and producers that were last heard of over 10 min ago.")
    ] = False,
    watch: Annotated[
        str | None,
        typer.Option("--watch", metavar="TIME", help="Ask again every so often, such as 2s; Ctrl-C ends it."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout; with --watch one a line, again and again.")
    ] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Say how things stand: groups, workers, lag, frame age, rates and dead letters, for each pipeline and camera.

    It asks the broker, and reads what workers and producers report of themselves every two seconds, so it is right
    also when none of them answers. The last lines say what is wrong, and the mend. The exit code is 0 then, too; it is
    1 when the broker does not answer.

    Groups that workers report are shown, and those named framelane.*; others with --group.

    **Examples**

    `framelane status`

    `framelane status --watch 2s --cameras`

    `framelane status --json | jq '.pipelines[] | {group, lag, lag_s}'`
    """
    from consumers.status_board import StatusBoard
    from framelane.admin_client import AdminConnection
    from framelane.logs import set_up_logging
    from framelane.status_report import read_status
    from framelane.waiting import wait_for_kafka

    set_up_logging(log_level)
    every_s = _every(watch)
    kafka = kafka_settings(bootstrap, config)
    wait_for_kafka(kafka, [], wait_s=seconds(wait, option="--wait"))
    connection, board = AdminConnection(kafka), StatusBoard(kafka, topic=STATUS)
    ask = partial(read_status, connection, board, groups=group or (), everything=everything)
    try:
        if as_json:
            _again(lambda: print(_json(ask(), indent=None if every_s else 2), flush=True), every_s)
        else:
            _show(ask, every_s, cameras=cameras, partitions=partitions)
    finally:
        board.close()


def _every(watch: str | None) -> float | None:
    if watch is None:
        return None
    every_s = seconds(watch, option="--watch")
    if every_s < _LEAST_S:
        raise SettingError(f"--watch {watch!r}: expected {_LEAST_S} s or more; workers report every two seconds")
    return every_s


def _show(ask: "Callable[[], StatusReport]", every_s: float | None, *, cameras: bool, partitions: bool) -> None:
    from rich.live import Live

    from framelane.cli.status_tables import tables
    from framelane.cli.topic_table import wide_console

    console = wide_console()
    if every_s is None or not console.is_terminal:
        _again(lambda: console.print(tables(ask(), all_cameras=cameras, all_partitions=partitions)), every_s)
        return
    with Live(console=console, auto_refresh=False, screen=True, vertical_overflow="visible") as live:
        _again(
            lambda: live.update(tables(ask(), all_cameras=cameras, all_partitions=partitions), refresh=True), every_s
        )


def _again(step: "Callable[[], None]", every_s: float | None) -> None:
    """Once, or again and again; then a broker that is away for a while is waited for."""
    while True:
        try:
            step()
        except BrokerUnavailable as error:
            if every_s is None:
                raise
            typer.echo(f"framelane: {error}", err=True)
        if every_s is None:
            return
        time.sleep(every_s)


def _json(report: "StatusReport", *, indent: int | None) -> str:
    from dataclasses import asdict

    from framelane.status_words import findings

    return json.dumps(asdict(report) | {"findings": [asdict(each) for each in findings(report)]}, indent=indent)
