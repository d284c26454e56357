"""`framelane tail`."""

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

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
    Until,
    announce,
    closing_sums,
    subscription_settings,
)
from framelane.printable import printable
from framelane.stopping import stop_on_signals
from streams.contract.topics import EVENTS, PROCESSED

if TYPE_CHECKING:
    from consumers import ReceivedEvent, ReceivedFrame
    from consumers.base_subscription import BaseSubscription


def tail(
    *,
    topic: Annotated[
        str | None, typer.Option("--topic", help=f"What is read. Default: {PROCESSED}, or {EVENTS} for events.")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Events instead of frames.")] = False,
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
    """Print a line for each processed frame, or each event, once; the sums follow on stderr.

    A line holds: capture time, camera, epoch, sequence, size in pixels, size in bytes, age (capture until now) and
    pipeline; of an event capture time, camera, epoch, sequence, type, data and pipeline. Other readers are not
    affected, and nothing is remembered.

    **Examples**

    `framelane tail`

    `framelane tail --camera 'gate-*' --camera '!gate-9' --since -10m --until now`

    `framelane tail --json --count 100 | jq .camera_id`

    `framelane tail --events --since -1h --until now`
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    kafka = kafka_settings(bootstrap, config)
    topic = (EVENTS if events else PROCESSED) if topic is None else topic
    settings = subscription_settings(kafka, topic=topic, cameras=camera, since=since, until=until)
    wait_s = seconds(wait, option="--wait")

    from consumers import EventSubscription, Subscription
    from consumers.metadata import event_json, metadata_json
    from framelane.waiting import wait_for_kafka

    wait_for_kafka(kafka, [topic], wait_s=wait_s, read=[topic])
    printed = 0
    line: Callable[[Any], str] = _event_line if events else _line
    encoded: Callable[[Any], bytes] = event_json if events else metadata_json
    subscribe: type[BaseSubscription[Any]] = EventSubscription if events else Subscription
    with subscribe(settings) as subscription, stop_on_signals() as stop:
        announce("tail", settings)
        try:
            while not (stop.requested or subscription.ended or printed == count):
                item = subscription.poll(0.2)
                if item is not None:
                    print(encoded(item).decode() if as_json else printable(line(item)), flush=True)
                    printed += 1
        except BrokenPipeError:
            # Whoever read our lines has seen enough (`framelane tail | head`). Python flushes stdout again at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            closing_sums("tail", subscription, what="events" if events else "frames")
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


def _begin(camera_id: str, epoch: str, sequence: int, captured_at_ns: int) -> str:
    from streams.contract.headers import rfc3339

    return f"{rfc3339(captured_at_ns)[:-4]}Z  {camera_id:<12}  {epoch}  {sequence:>7}"


def _event_line(event: "ReceivedEvent") -> str:
    begin = _begin(event.camera_id, event.epoch, event.sequence, event.captured_at_ns)
    return f"{begin}  {event.type}  {bytes(event.data).decode()}  {event.pipeline or '-'}"


def _line(frame: "ReceivedFrame") -> str:
    age_ms = max(0, time.time_ns() - frame.captured_at_ns) // 1_000_000
    size = f"{frame.width}x{frame.height}"
    kilobytes = f"{len(frame.data) / 1000:.1f} kB"
    return (
        f"{_begin(frame.camera_id, frame.epoch, frame.sequence, frame.captured_at_ns)}  {size:>9}  {kilobytes:>9}  "
        f"{age_ms:>5} ms  {frame.pipeline or '-'}"
    )
