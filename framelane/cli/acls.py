"""`framelane acls`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from framelane.cli import options
from streams.contract import topics
from streams.contract.errors import SettingError

if TYPE_CHECKING:
    from framelane.acls import Names, Right

app = typer.Typer(help="Rights on Kafka (ACLs): which each role needs.", no_args_is_help=True)

Form = Literal["table", "commands", "json"]
_NAMES = "Names"


def _named(option: str, help: str) -> object:
    return typer.Option(option, metavar="TOPIC", help=help, rich_help_panel=_NAMES)


@app.command("print")
def print_acls(
    roles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROLE]...",
            help="producer, worker, subscriber, view, gateway, status, dead-letters, topics, replay, diff, shadow. "
            "Default: all of them.",
        ),
    ] = None,
    *,
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who has these roles, such as gate-1 or CN=gate-1. Default: as the role."),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="A table, commands for kafka-acls.sh, or JSON for programs.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    pipelines: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Topics and groups as its pipelines have them.", rich_help_panel=_NAMES),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A group; once for each. Default: framelane.* for workers and status, for subscribers their name.",
            rich_help_panel=_NAMES,
        ),
    ] = None,
    input_topic: Annotated[str | None, _named("--input", f"Raw frames. Default: {topics.RAW}.")] = None,
    output: Annotated[str | None, _named("--output", f"Processed frames. Default: {topics.PROCESSED}.")] = None,
    events: Annotated[str | None, _named("--events", f"What was found. Default: {topics.EVENTS}.")] = None,
    dead_letter: Annotated[str | None, _named("--dead-letter", f"What failed. Default: {topics.DEAD_LETTER}.")] = None,
    requests: Annotated[str | None, _named("--requests", "Of the gateway. Default: frames.requests.")] = None,
    replies: Annotated[str | None, _named("--replies", "Of the gateway. Default: frames.replies.")] = None,
    replays: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="What topics of replays begin with. Default: frames.replay., with its dot.",
            rich_help_panel=_NAMES,
        ),
    ] = None,
    bootstrap: options.Bootstrap = None,
    config: options.Config = None,
    log_level: options.LogLevel = "warning",
) -> None:
    """Print the rights that each role needs on Kafka: as a table, or as commands that grant them. It asks no broker.

    Read and Write have Describe in them. Rights that are not needed are for comfort; the role works without.

    **Examples**

    `framelane acls print`

    `framelane acls print producer --user gate-1 --format commands --bootstrap kafka:9092 | sh`

    `framelane acls print gateway worker --user images --pipelines pipelines.toml --json`
    """
    from framelane.acls import ROLES, commands, rights_of
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    given = {"raw": input_topic, "processed": output, "events": events, "dead_letter": dead_letter}
    given |= {"requests": requests, "replies": replies}
    every = _names(pipelines, {name: value for name, value in given.items() if value is not None}, group or [])
    every = every if replays is None else [replace(names, replays=replays) for names in every]
    asked = list(dict.fromkeys(roles or ROLES))
    # Two pipelines may share a topic, and two roles a right.
    found = {
        role: list(dict.fromkeys(right for names in every for right in rights_of(role, names, user=user or role)))
        for role in asked
    }
    if as_json or form == "json":
        rows = [{"role": role, "user": user or role} | asdict(each) for role in asked for each in found[role]]
        print(json.dumps(rows, indent=2))
    elif form == "table":
        _print_table(found)
    else:
        kafka = options.kafka_settings(bootstrap, config)
        users: dict[str, list[Right]] = {}
        for role in asked:
            users.setdefault(user or role, []).extend(found[role])
        print("\n".join(commands(users, bootstrap=kafka.bootstrap, login=kafka.security != "plaintext")))


def _names(pipelines: Path | None, given: Mapping[str, str], groups: list[str]) -> "list[Names]":
    from framelane.acls import Names

    if pipelines is None:
        return [Names(groups=tuple(groups), **given)]
    if given or groups:
        raise SettingError("--pipelines: its pipelines name their topics and groups: leave the options for these out")
    from streams.pipeline_settings import load_pipelines

    return [
        Names(
            raw=each.input,
            processed=each.output,
            events=each.events,
            dead_letter=each.dead_letter,
            requests=each.input,
            replies=each.output,
            groups=(each.group,),
        )
        for each in load_pipelines(pipelines)
    ]


def _print_table(found: "Mapping[str, list[Right]]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from framelane.acls import ROLES
    from framelane.cli.topic_table import wide_console

    table = Table(box=None, pad_edge=False)
    for heading in ("role", "right", "on", "to", ""):
        table.add_column(heading, overflow="fold")
    for role, rights in found.items():
        first = f"[bold]{role}[/]"
        for same in _alike(rights):
            on = ", ".join([same[0].on, *(right.name for right in same[1:])])
            needed = "" if same[0].needed else "[dim]not needed[/]"
            table.add_row(first, same[0].operation, escape(on), escape(same[0].why), needed)
            first = ""
        table.add_row("", "", "", f"[dim]{escape(ROLES[role].commands)}[/]", "", end_section=True)
    wide_console().print(table)


def _alike(rights: "Iterable[Right]") -> "Iterable[list[Right]]":
    """The same right on several names, for the same reason, makes one row."""
    found: dict[object, list[Right]] = {}
    for right in rights:
        found.setdefault((right.operation, right.kind, right.prefixed, right.why), []).append(right)
    return found.values()
