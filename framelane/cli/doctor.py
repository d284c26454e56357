"""`framelane doctor`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from framelane.cli.options import Bootstrap, Config, LogLevel, kafka_settings, seconds

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object for each check, in a list on stdout.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Annotated[str, typer.Option("--wait", metavar="TIME", help="How long to wait for the broker.")] = "5s",
    log_level: LogLevel = "warning",
) -> None:
    """Look at this machine, the broker and the topics, and say what is wrong and how it is mended.

    The exit code is 1 when something has failed; warnings leave it at 0.

    **Examples**

    `framelane doctor`

    `framelane doctor --config framelane.toml --json`
    """
    from rich.markup import escape
    from rich.table import Table

    from framelane.cli.topic_table import wide_console
    from framelane.doctor import examine, has_failed
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    rows = examine(kafka_settings(bootstrap, config), wait_s=seconds(wait, option="--wait"))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "what", "found", "mend"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            state = f"[{_COLOURS[row.state]}]{row.state}[/]"
            table.add_row(state, escape(row.what), escape(row.found), escape(row.mend))
        wide_console().print(table)
    if has_failed(rows):
        raise typer.Exit(1)
