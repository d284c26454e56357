"""What `tail` and `record` share: their options, and the closing sums."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from framelane.topic_rules import check_topic_name
from streams.contract.camera_globs import CameraGlobs
from streams.contract.times import parse_time

if TYPE_CHECKING:
    from consumers import SubscriptionSettings
    from consumers.base_subscription import BaseSubscription
    from consumers.settings import Ack
    from streams.contract.kafka_settings import KafkaSettings

Topic = Annotated[str, typer.Option("--topic", help="Where the frames are read from.")]
Cameras = Annotated[
    list[str] | None,
    typer.Option("--camera", metavar="GLOB", help="Only these, such as 'gate-*'; '!gate-9' excludes. Repeatable."),
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="From when on: -10m, or RFC 3339. Default: from now on.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to when: now, -5m, +1h, or RFC 3339.")]
Count = Annotated[int | None, typer.Option("--count", min=1, help="End after so many frames.")]


def subscription_settings(
    kafka: "KafkaSettings",
    *,
    topic: str,
    cameras: list[str] | None,
    group: str | None = None,
    since: str | None,
    until: str | None,
    ack: "Ack" = "next",
) -> "SubscriptionSettings":
    """The settings from the options. Raises SettingError."""
    from consumers import SubscriptionSettings

    check_topic_name(topic)
    now_ns = time.time_ns()
    return SubscriptionSettings(
        kafka=kafka,
        topic=topic,
        cameras=CameraGlobs.of(cameras),
        group=group,
        since_ns=None if since is None else parse_time(since, now_ns=now_ns),
        until_ns=None if until is None else parse_time(until, now_ns=now_ns),
        commit_interval_s=None,
        ack=ack,
    )


def announce(command: str, settings: "SubscriptionSettings") -> None:
    """Say on stderr that reading has begun; what is published from now on will be seen."""
    place = f"{settings.topic} at {settings.kafka.bootstrap}"
    print(f"framelane {command}: reading {place}; Ctrl-C ends", file=sys.stderr, flush=True)


def closing_sums(
    command: str, subscription: "BaseSubscription[Any]", *, more: str = "", what: Literal["frames", "events"] = "frames"
) -> None:
    """What came, and what did not, on stderr."""
    sums, refused = subscription.sums, subscription.refused
    frames = sum(each.frames for each in sums.values())
    duplicates = sum(each.duplicates for each in sums.values())
    named = what if frames != 1 else what.removesuffix("s")
    parts = [f"{frames} {named} from {len(sums)} camera{'s' * (len(sums) != 1)}{more}"]
    if missing := {camera: each.missing for camera, each in sums.items() if each.missing}:
        shown = ", ".join(f"{camera} {count}" for camera, count in sorted(missing.items())[:8])
        parts.append(f"{sum(missing.values())} missing ({shown}{', ...' * (len(missing) > 8)})")
    elif what == "frames":
        parts.append("0 missing")
    parts.append(f"{duplicates} duplicate{'s' * (duplicates != 1)} dropped")
    if refused:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(refused.items()))
        parts.append(f"{sum(refused.values())} refused ({reasons})")
    print(f"framelane {command}: {'; '.join(parts)}", file=sys.stderr, flush=True)
