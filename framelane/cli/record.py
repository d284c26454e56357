"""`framelane record`."""

import time
from typing import Annotated

import typer

from framelane.cli.options import (
    DEFAULT_WAIT,
    INTERRUPTED,
    Bootstrap,
    Config,
    LogLevel,
    Wait,
    kafka_settings,
    seconds,
)
from framelane.cli.receiving import (
    Cameras,
    Count,
    Since,
    Topic,
    Until,
    announce,
    closing_sums,
    subscription_settings,
)
from framelane.stopping import stop_on_signals
from streams.contract.topics import PROCESSED


def record(
    *,
    to: Annotated[str, typer.Option("--to", metavar="DIR|FILE.mp4|FILE.jsonl", help="Where to; the ending chooses.")],
    topic: Topic = PROCESSED,
    camera: Cameras = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Resume where this consumer group left off.")
    ] = None,
    since: Since = None,
    until: Until = None,
    count: Count = None,
    for_seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.0, metavar="N", help="End after so long.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", help="Rate of an .mp4. Default: as the first second of each camera.")
    ] = None,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "info",
) -> None:
    """Write processed frames to files, each frame once; the sums follow on stderr.

    **DIR**: the pictures as they came, `<camera>/<epoch>-<sequence>-<pipeline>.jpg`. **FILE.mp4**: a video, or
    FILE-CAMERA.mp4 for each of several cameras; it is complete once the command ends. **FILE.jsonl**: a line of
    metadata for each frame, appended.

    With `--group` it goes on where it left off, even after a kill, and several of one group share the work; a new group
    begins with the oldest frame. Without, it begins now, or at `--since`. A video is not safe before it is closed, so
    with an .mp4 the group's place is written at the end only: after a kill all of its frames come again, and the
    unfinished `.FILE-….part.mp4` stays behind. Where FILE.mp4 exists, FILE.2.mp4 follows.

    **Examples**

    `framelane record --to pictures/ --camera gate-1 --seconds 60`

    `framelane record --to yard.mp4 --since -10m --until now`

    `framelane record --to frames.jsonl --group archive`
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    kafka = kafka_settings(bootstrap, config)
    settings = subscription_settings(kafka, topic=topic, cameras=camera, group=group, since=since, until=until)
    wait_s = seconds(wait, option="--wait")

    from consumers import Subscription
    from consumers.recording import Recorder
    from consumers.sinks import SinkOptions, open_sink
    from framelane.waiting import wait_for_kafka

    sink = open_sink(to, options=SinkOptions(fps=fps))
    try:
        wait_for_kafka(kafka, [topic], wait_s=wait_s)
        subscription = Subscription(settings)
    except BaseException:
        sink.close()
        raise
    give_up = float("inf") if for_seconds is None else time.monotonic() + for_seconds
    recorder = Recorder(subscription, sink)
    with subscription, stop_on_signals() as stop:
        announce("record", settings)
        try:
            with recorder:
                while not (
                    stop.requested or subscription.ended or recorder.taken == count or time.monotonic() > give_up
                ):
                    recorder.take(subscription.poll(0.2))
        finally:
            damaged = f" and {recorder.damaged} damaged ones skipped" if recorder.damaged else ""
            closing_sums("record", subscription, more=f", {recorder.written} written to {to}{damaged}")
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)
