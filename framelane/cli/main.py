"""The commands, put together; each lives in a file of its own and loads what it needs only when it is run."""

import importlib.metadata
import sys
from typing import Annotated

import typer

from framelane.cli import (
    acls,
    bench_pipeline,
    broker,
    cameras,
    dead_letters,
    demo,
    diff,
    doctor,
    frame,
    gateway,
    operators,
    pipelines,
    process,
    produce,
    record,
    replay,
    snapshot,
    stats,
    status,
    tail,
    topics,
    view,
    work,
)
from framelane.cli.options import INTERRUPTED
from framelane.parent import end_with_parent
from streams.contract.errors import FramelaneError


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"framelane {importlib.metadata.version('framelane')}")
        raise typer.Exit


app = typer.Typer(
    name="framelane",
    help="Cameras publish frames to Kafka; Faust agents process them with OpenCV; subscribers get them in order.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Cameras publish frames to Kafka; Faust agents process them with OpenCV; subscribers get them in order."""


app.command("demo")(demo.demo)
app.command("broker")(broker.broker)
app.add_typer(topics.app, name="topics")
app.command("produce")(produce.produce)
app.add_typer(cameras.app, name="cameras")
app.command("work")(work.work)
app.command("gateway")(gateway.gateway)
app.command("view")(view.view)
app.command("process")(process.process)
app.add_typer(pipelines.app, name="pipelines")
app.command("bench-pipeline")(bench_pipeline.bench_pipeline)
app.command("operators")(operators.operators)
app.command("tail")(tail.tail)
app.command("record")(record.record)
app.add_typer(dead_letters.app, name="dead-letters")
app.command("snapshot")(snapshot.snapshot)
app.command("stats")(stats.stats)
app.command("frame")(frame.frame)
app.command("replay")(replay.replay)
app.command("diff")(diff.diff)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.add_typer(acls.app, name="acls")


def main() -> None:
    """Run the command line; what we raise on purpose becomes one message and an exit code, never a traceback."""
    end_with_parent()
    try:
        app()
    except FramelaneError as error:
        print(f"framelane: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone (`framelane tail | head`): nothing is wrong, and nothing more can be said.
        sys.stderr.close()
        sys.exit(0)
