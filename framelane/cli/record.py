"""`framelane record`."""

import time
from collections.abc import Mapping
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
from framelane.cli.receiving import Cameras, Count, Since, Until, announce, closing_sums, subscription_settings
from framelane.request_headers import request_headers
from framelane.stopping import stop_on_signals
from streams.contract.errors import SettingError
from streams.contract.topics import EVENTS, PROCESSED

if TYPE_CHECKING:
    from consumers import SubscriptionSettings
    from consumers.base_subscription import BaseSubscription
    from consumers.recording import Recorder
    from consumers.sinks import Kind, Sink, SinkOptions

_PLACES = "DIR|FILE.mp4|FILE.jsonl|http(s)://..."


def record(
    *,
    to: Annotated[str, typer.Option("--to", metavar=_PLACES, help="Where to; the ending or the scheme chooses.")],
    events: Annotated[bool, typer.Option("--events", help="Events instead of frames; into FILE.jsonl.")] = False,
    topic: Annotated[
        str | None, typer.Option("--topic", help=f"What is read. Default: {PROCESSED}, or {EVENTS} for events.")
    ] = None,
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
    rotate: Annotated[
        str | None, typer.Option("--rotate", metavar="TIME", help="A new .mp4 every so often, such as 10m.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", help="A constant rate for an .mp4. Default: each picture at its time.")
    ] = None,
    header_env: Annotated[
        list[str] | None,
        typer.Option("--header-env", metavar="NAME=VAR", help="A header whose value $VAR holds. Repeatable."),
    ] = None,
    header_file: Annotated[
        list[str] | None,
        typer.Option("--header-file", metavar="NAME=FILE", help="A header whose value FILE holds. Repeatable."),
    ] = None,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "info",
) -> None:
    """Write processed frames, or events, to files or to a webhook, each once; the sums follow on stderr.

    **DIR**: the pictures as they came, `<camera>/<date>/<hour>/<time>-<epoch>-<sequence>-<pipeline>.jpg`, in UTC by
    capture time. **FILE.mp4**: a video, or FILE-CAMERA.mp4 for each of several cameras. With `--rotate 10m` a video for
    each ten minutes of each camera: `FILE/<camera>/<time of its first picture>.mp4`. **FILE.jsonl**: a line of metadata
    for each frame, or, with `--events`, for each event; appended. **http://..., https://...**: each event as a POST.

    With `--group` it goes on where it left off, and several of one group share the work; a new group begins with the
    oldest frame. Killed at any time, it leaves no hole and writes nothing twice when it is started again. Without, it
    begins now, or at `--since`. A video is safe once it is finished, so without `--rotate` a kill costs all of it, and
    with a group its frames come again. Where FILE.mp4 exists, FILE.2.mp4 follows.

    **Examples**

    `framelane record --to pictures/ --camera gate-1 --seconds 60`

    `framelane record --to yard.mp4 --rotate 10m --group archive`

    `framelane record --to https://example.org/hook --header-env Authorization=HOOK_AUTHORIZATION --group hook`
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    from consumers.sinks import SinkOptions

    options = SinkOptions(
        fps=fps,
        rotate_s=None if rotate is None else seconds(rotate, option="--rotate"),
        resumes=group is not None,
        headers=request_headers(header_env or [], header_file or []),
    )
    sink, kind = _sink(to, events=events, options=options)
    topic = (EVENTS if kind == "events" else PROCESSED) if topic is None else topic
    kafka = kafka_settings(bootstrap, config)
    settings = subscription_settings(
        kafka, topic=topic, cameras=camera, group=group, since=since, until=until, ack="manual"
    )
    wait_s = seconds(wait, option="--wait")

    from framelane.waiting import wait_for_kafka

    sink.setup()
    try:
        wait_for_kafka(kafka, [topic], wait_s=wait_s, read=[topic])
        recorder, subscription = _open(kind, settings, sink)
    except BaseException:
        sink.close()
        raise
    give_up = float("inf") if for_seconds is None else time.monotonic() + for_seconds
    with subscription, stop_on_signals() as stop:
        announce("record", settings)
        try:
            with recorder:
                recorder.run(stop=lambda: stop.requested or time.monotonic() > give_up, count=count)
        finally:
            closing_sums("record", subscription, more=_written(recorder, sink), what=kind)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


def _sink(to: str, *, events: bool, options: "SinkOptions") -> tuple["Sink[Any]", "Kind"]:
    from consumers.sinks import choose_sink

    sink = choose_sink(to, options=options)
    # Of a sink that takes one kind only, there is nothing to be told.
    kind: Kind = "events" if events or "frames" not in sink.takes else "frames"
    if kind not in sink.takes:
        raise SettingError(f"--events: --to {sink.name} takes frames only; events go to FILE.jsonl or http(s)://...")
    return sink, kind


def _open(
    kind: "Kind", settings: "SubscriptionSettings", sink: "Sink[Any]"
) -> tuple["Recorder[Any]", "BaseSubscription[Any]"]:
    from consumers.recording import Recorder
    from consumers.subscription import EventSubscription, Subscription

    subscribe = EventSubscription if kind == "events" else Subscription
    # Partitions come and go from within `poll` only, when the recorder is there.
    subscription: BaseSubscription[Any] = subscribe(settings, before_revoke=lambda: recorder.settle())
    recorder: Recorder[Any] = Recorder(subscription, sink)
    return recorder, subscription


def _written(recorder: "Recorder[Any]", sink: "Sink[Any]") -> str:
    """What became of all that was taken."""
    left_out: Mapping[str, int] = sink.left_out
    parts = [f", {sink.written} written to {sink.name}"]
    parts += [f"{count} {reason}" for reason, count in left_out.items()]
    if recorder.damaged:
        parts.append(f"{recorder.damaged} damaged and skipped")
    if rest := recorder.taken - sink.written - sum(left_out.values()) - recorder.damaged:
        parts.append(f"{rest} not written")
    return ", ".join(parts)
