"""`framelane demo`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from framelane.cli import options

OPERATORS = ("resize:width=480", "motion", "annotate")


def demo(
    seconds: Annotated[
        str | None, typer.Option("--seconds", metavar="TIME", help="How long to show it. Default: until Ctrl-C.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="SOURCE", help="A video file, image folder, webcam (device:0) or stream."),
    ] = None,
    cameras: Annotated[
        int | None, typer.Option("--cameras", help="How many cameras. Default: 4, or 1 of SOURCE.")
    ] = None,
    op: Annotated[
        list[str] | None, typer.Option("--op", metavar="OP", help=f"Operators. Default: {', '.join(OPERATORS)}.")
    ] = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="For the picture and the logs.")] = Path(
        "demo-output"
    ),
    bootstrap: Annotated[
        str | None,
        typer.Option("--bootstrap", metavar="HOST:PORT", help="A Kafka that runs already. Default: an embedded one."),
    ] = None,
    config: options.Config = None,
    wait: options.Wait = options.DEFAULT_WAIT,
    log_level: options.LogLevel = "warning",
) -> None:
    """Show all of it on this machine: cameras, an embedded Kafka, a Faust worker, and the live view in a browser.

    Nothing has to be set up. It prints the view's address: port 8088, or a free one where that is taken. At the end it
    prints the sums, and saves a picture with raw above processed frames. Your own Kafka is used where `--bootstrap`,
    `--config` or `KAFKA_BOOTSTRAP_SERVERS` names one, with topics `demo.…`.

    **Examples**

    - `framelane demo`
    - `framelane demo --seconds 20 --source video.mp4 --op grayscale --op edges`
    - `framelane demo --cameras 8 --op pixelate`
    - `framelane demo --bootstrap kafka.example:9092`
    """
    from rich.console import Console

    from framelane.demo import DemoSettings, run_demo
    from framelane.demo.surroundings import names_kafka
    from framelane.logs import set_up_logging
    from streams.pipeline_settings import quick_pipeline

    set_up_logging(log_level)
    operators = tuple(op or OPERATORS)
    # A mistake in an operator shows before anything is started.
    quick_pipeline(operators)
    settings = DemoSettings(
        seconds=None if seconds is None else options.seconds(seconds, option="--seconds"),
        source=source,
        cameras=cameras,
        operators=operators,
        kafka=options.kafka_settings(bootstrap, config) if bootstrap or config or names_kafka(os.environ) else None,
        config=config,
        wait_s=options.seconds(wait, option="--wait"),
        folder=to,
    )
    if run_demo(settings, out=Console(), err=Console(stderr=True)):
        raise typer.Exit(options.INTERRUPTED)
