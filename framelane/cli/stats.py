"""`framelane stats`."""

import sys
import time
from pathlib import Path
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
from framelane.cli.receiving import Cameras, Count, Topic, Until, announce, closing_sums, subscription_settings
from framelane.stopping import stop_on_signals
from streams.contract.topics import PROCESSED

if TYPE_CHECKING:
    from consumers import SubscriptionSettings
    from framelane.latency import HopTimes

_LIVE_S = 10.0


def stats(
    *,
    topic: Topic = PROCESSED,
    camera: Cameras = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Of frames from then on, up to now: -10m, or RFC 3339."),
    ] = None,
    until: Until = None,
    count: Count = None,
    for_seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.0, metavar="N", help="End after so long. Default, live: 10.")
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE.png", help="Draw the histograms there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Show how long frames take from hop to hop, as a table with histograms, and as a picture.

    The times are those in the frames' headers: captured, received by the worker, started, processed. Without `--since`
    frames are watched as they come for ten seconds, and the moment at which they are read here is a hop as well.
    Each time is that of the clock where it was taken: differences below zero are counted apart, and mean that one of
    the clocks is off. The exit code is 1 when no frame came.

    **Examples**

    `framelane stats`

    `framelane stats --since -10m --png latency.png`

    `framelane stats --camera 'gate-*' --count 1000 --json | jq '.hops[] | {hop, p99_ms}'`
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    kafka = kafka_settings(bootstrap, config)
    live = since is None
    unbounded = until is None and count is None and for_seconds is None
    settings = subscription_settings(
        kafka, topic=topic, cameras=camera, since=since, until="now" if until is None and not live else until
    )
    for_s = _LIVE_S if unbounded and live else float("inf") if for_seconds is None else for_seconds

    from framelane.latency import HopTimes
    from framelane.waiting import wait_for_kafka

    wait_for_kafka(kafka, [topic], wait_s=seconds(wait, option="--wait"), read=[topic])
    times = HopTimes(live=live)
    interrupted = _collect(times, settings, count=count, for_s=for_s)
    if times.shown():
        _show(times, topic=topic, png=png, as_json=as_json)
    else:
        what = "no frame came" if not times.frames else f"the {times.frames} frames that came bear no times of a worker"
        hint = "look back with --since -10m, or see `framelane status`" if live else "look in another --topic"
        print(f"framelane stats: topic {topic}: {what}; {hint}", file=sys.stderr)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if not times.shown():
        raise typer.Exit(1)


def _collect(times: "HopTimes", settings: "SubscriptionSettings", *, count: int | None, for_s: float) -> bool:
    """Read frames until it is enough; whether Ctrl-C ended it."""
    from consumers import Subscription

    with Subscription(settings) as subscription, stop_on_signals() as stop:
        announce("stats", settings)
        give_up = time.monotonic() + for_s
        while not (stop.requested or subscription.ended or times.frames == count or time.monotonic() > give_up):
            frame = subscription.poll(max(0.0, min(0.2, give_up - time.monotonic())))
            if frame is not None:
                times.add(frame, read_ns=time.time_ns())
        closing_sums("stats", subscription)
    return stop.interrupted


def _show(times: "HopTimes", *, topic: str, png: Path | None, as_json: bool) -> None:
    from framelane.cli.latency_tables import latency_json, latency_tables
    from framelane.cli.topic_table import wide_console

    if as_json:
        print(latency_json(times, topic=topic))
    else:
        wide_console().print(latency_tables(times))
    if png is not None:
        _draw(times, topic=topic, png=png)


def _draw(times: "HopTimes", *, topic: str, png: Path) -> None:
    from framelane.latency_chart import latency_chart
    from framelane.whole_file import write_whole
    from streams.contract.headers import rfc3339
    from streams.contract.images import encode

    first, last = (rfc3339(at)[:19].replace("T", " ") for at in (times.first_ns, times.last_ns))
    last = last[11:] if last[:10] == first[:10] else last
    about = f"{times.frames:,} frames of {times.cameras} camera{'s' * (times.cameras != 1)}"
    chart = latency_chart(
        times.shown(), title="Latency by hop", subtitle=f"{topic} · {about} · captured {first} to {last} UTC"
    )
    write_whole(png, encode(chart, "image/png"))
    print(f"framelane stats: chart: {png}", file=sys.stderr)
