"""`framelane pipelines`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli.options import LogLevel, picture_size
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import has_kafka_table, load_kafka_settings

if TYPE_CHECKING:
    from streams.pipeline_settings import PipelineSettings

File = Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file with a [[pipeline]] for each pipeline.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line for each pipeline.")]

app = typer.Typer(help="Look at files of pipelines before anything runs them.", no_args_is_help=True)


@app.callback()
def pipelines() -> None:
    """Look at files of pipelines before anything runs them."""


@app.command()
def check(
    file: File,
    *,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Read a file of pipelines and say what would run; every mistake is told with its line, and nothing is started.

    **Examples**

    - `framelane pipelines check pipelines.toml`
    - `framelane pipelines check pipelines.toml --json | jq .pipeline`
    """
    for settings in read_pipelines(file, log_level):
        print(json.dumps(_described(settings)) if as_json else _line(settings))


@app.command()
def explain(
    file: File,
    *,
    size: Annotated[str, typer.Option(metavar="WxH", help="Pixels of the frames.")] = "1280x720",
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Say of each pipeline what it decodes, runs and sends, and measure its stages on synthetic frames; no broker.

    **Examples**

    - `framelane pipelines explain pipelines.toml`
    - `framelane pipelines explain pipelines.toml --size 1920x1080 --json | jq .milliseconds`
    """
    import cv2

    from framelane import explain as explaining
    from framelane.stage_times import measure, synthetic_frames
    from streams.pipeline import Pipeline

    pixels = picture_size(size, option="--size")
    read = read_pipelines(file, log_level)
    # As a worker does: its threads are the frames'.
    cv2.setNumThreads(1)
    frames = synthetic_frames(pixels)
    for settings in read:
        planned, unplanned = measure(settings, frames)
        explanation = explaining.Explanation(
            pipeline=Pipeline(settings), size=pixels, planned=planned, unplanned=unplanned
        )
        if as_json:
            print(json.dumps(explaining.as_json(explanation)))
        else:
            print(*explaining.lines(explanation), sep="\n", end="\n\n")


def read_pipelines(file: Path, log_level: str) -> "tuple[PipelineSettings, ...]":
    """The pipelines of the file; all that is wrong with it is told, and the command ended."""
    from framelane.logs import set_up_logging
    from streams.pipeline_settings import load_pipelines

    set_up_logging(log_level)
    try:
        read = load_pipelines(file)
        if has_kafka_table(file):
            load_kafka_settings(config=file, environ={}).for_faust()
    except SettingError as error:
        # As they stand, a line each, so that an editor can jump to them.
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_code) from error
    return read


def _described(settings: "PipelineSettings") -> dict[str, Any]:
    return {
        "name": settings.name,
        "pipeline": settings.label,
        "group": settings.group,
        "input": settings.input,
        "output": settings.output,
        "events": settings.events,
        "dead_letter": settings.dead_letter,
        "operators": [entry.op for entry in settings.operators],
    }


def _line(settings: "PipelineSettings") -> str:
    """`name@hash  group  input -> output  operators`."""
    output = settings.output or f"{settings.events} (events only)"
    operators = ", ".join(entry.op for entry in settings.operators) or "no operators"
    return f"{settings.label}  {settings.group}  {settings.input} -> {output}  {operators}"
