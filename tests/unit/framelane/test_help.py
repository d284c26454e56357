"""Each command's help: a sentence, and examples that can be typed."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from framelane.cli import app

COMMANDS = [
    "demo",
    "broker",
    "topics create",
    "topics describe",
    "topics plan",
    "produce",
    "cameras check",
    "work",
    "gateway",
    "process",
    "pipelines check",
    "pipelines explain",
    "operators",
    "tail",
    "view",
    "record",
    "snapshot",
    "stats",
    "frame",
    "replay",
    "diff",
    "dead-letters list",
    "dead-letters show",
    "dead-letters export",
    "dead-letters redrive",
    "status",
    "doctor",
    "acls print",
    "bench-pipeline",
]


def help_of(command: str) -> str:
    result = CliRunner().invoke(
        app, [*command.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    )
    assert result.exit_code == 0
    return result.output


def test_these_are_all_the_commands() -> None:
    group = typer.main.get_command(app)
    names = [
        f"{name} {inner}" if inner else name
        for name, command in group.commands.items()  # type: ignore[attr-defined]
        for inner in getattr(command, "commands", {"": None})
    ]
    assert sorted(names) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    text = help_of(command)
    assert re.search(r"Examples", text)
    assert len(re.findall(rf"framelane {command}\b", text)) >= 2, text


@pytest.mark.parametrize("command", COMMANDS)
def test_the_common_options_are_there(command: str) -> None:
    text = help_of(command)
    pipelines = ("pipelines check", "pipelines explain", "bench-pipeline")
    offline = ("broker", "topics plan", "cameras check", *pipelines, "operators")
    listing = (*offline[1:], "topics describe", "doctor", "tail", "status", "snapshot", "stats", "frame", "acls print")
    for option, commands in {
        "--log-level": COMMANDS,
        "--bootstrap": [each for each in COMMANDS if each not in offline],
        "--config": [each for each in COMMANDS if each not in offline],
        "--json": listing,
    }.items():
        assert (option in text) or command not in commands, option


def test_the_version_is_that_of_the_distribution() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"framelane {version('framelane')}\n")


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_shell_completes_commands(shell: str) -> None:
    asked = {"COMP_WORDS": "framelane to", "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": "framelane to", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("framelane"))],
        env=os.environ | asked | {"_FRAMELANE_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "topics" in done.stdout
    assert "produce" not in done.stdout
