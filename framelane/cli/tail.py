"""`framelane tail`."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from streams.contract.frame import Frame


def tail(
    *,
    topic: Topic = PROCESSED,
    camera: Cameras = None,
    since: Since = None,
    until: Until = None,
    count: Count = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Print a line for each processed frame, each frame once; the sums follow on stderr.

    A line holds: capture time, camera, epoch, sequence, size in pixels, size in bytes, age (capture until now) and
    pipeline. Other readers are not affected, and nothing is remembered.

    **Examples**

    `framelane tail`

    `framelane tail --camera 'gate-*' --camera '!gate-9' --since -10m --until now`

    `framelane tail --json --count 100 | jq .camera_id`
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    kafka = kafka_settings(bootstrap, config)
    settings = subscription_settings(kafka, topic=topic, cameras=camera, since=since, until=until)
    wait_s = seconds(wait, option="--wait")

    from consumers import Subscription
    from consumers.metadata import metadata_json
    from framelane.waiting import wait_for_kafka

    wait_for_kafka(kafka, [topic], wait_s=wait_s)
    printed = 0
    with Subscription(settings) as subscription, stop_on_signals() as stop:
        announce("tail", settings)
        try:
            while not (stop.requested or subscription.ended or printed == count):
                frame = subscription.poll(0.2)
                if frame is not None:
                    print(metadata_json(frame).decode() if as_json else _line(frame, now_ns=time.time_ns()), flush=True)
                    printed += 1
        except BrokenPipeError:
            # Whoever read our lines has seen enough (`framelane tail | head`). Python flushes stdout again at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            closing_sums("tail", subscription)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


def _line(frame: "Frame", *, now_ns: int) -> str:
    from streams.contract.headers import rfc3339

    at = rfc3339(frame.captured_at_ns)[:-4] + "Z"
    age_ms = max(0, now_ns - frame.captured_at_ns) // 1_000_000
    size = f"{frame.width}x{frame.height}"
    kilobytes = f"{len(frame.data) / 1000:.1f} kB"
    return (
        f"{at}  {frame.camera_id:<12}  {frame.epoch}  {frame.sequence:>7}  {size:>9}  {kilobytes:>9}  "
        f"{age_ms:>5} ms  {frame.pipeline or '-'}"
    )
