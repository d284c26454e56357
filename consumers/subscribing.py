"""subscribe(): frames or events of a topic, for loops that wait and for loops that await."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypedDict, Unpack

from consumers.async_subscription import AsyncSubscription
from consumers.received import ReceivedEvent, ReceivedFrame
from consumers.settings import Ack, GroupProtocol, SubscriptionSettings
from consumers.subscription import EventSubscription, Subscription
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings, load_kafka_settings
from streams.contract.times import parse_time, to_ns
from streams.contract.topics import EVENTS, PROCESSED

Time = datetime | int | str
Decode = tuple[int, int] | Literal["gray"]


class ReadOptions(TypedDict, total=False):
    """What is read, from where to where, and who remembers how far.

    bootstrap, kafka: how to reach the broker; the first overrides the second. Neither: as the environment says.
    cameras: globs such as `["gate-*", "!gate-9"]`; none is all of them.
    group: none just watches, from now on or from `since`. A group resumes where it left off; a new one begins at
    `since`, or with the oldest that there is.
    since, until: a datetime with a zone, ns since 1970, or a text such as "-10m"; the second ends the iteration.
    ack: "next" (the default): asking for the next one acknowledges the one before; "manual": only its `done()` does.
    dedupe_window: a group reads so much of what it had done with again, to know what was seen: seconds (10 unless
    told), and 2000 records of a partition at most.
    group_protocol: "auto" (the default) takes a group of KIP-848 ("consumer") where the broker has them, else a
    "classic" one.
    """

    bootstrap: str | None
    kafka: KafkaSettings | None
    cameras: Sequence[str] | None
    group: str | None
    since: Time | None
    until: Time | None
    ack: Ack
    dedupe_window: float
    group_protocol: GroupProtocol


class FrameOptions(ReadOptions, total=False):
    """ReadOptions, and what is made of the frames.

    freshest: only the newest frame of each camera, for screens; what is left out is counted, and no gaps are told.
    decode: (width, height) in pixels that `frame.image` must fit into, or "gray"; no more is decoded than that takes.
    """

    freshest: bool
    decode: Decode | None


def subscribe(topic: str = PROCESSED, **options: Unpack[FrameOptions]) -> Subscription:
    """Frames of a topic: iterate over what is returned. For the options see FrameOptions.

    Waits for a broker that is away. Raises SettingError, TopicMissing, or KafkaError for what waiting does not mend.
    """
    return Subscription(_settings(topic, options))


def subscribe_async(topic: str = PROCESSED, **options: Unpack[FrameOptions]) -> AsyncSubscription[ReceivedFrame]:
    """As `subscribe`, for `async for`; it connects when the first frame is asked for."""
    settings = _settings(topic, options)
    return AsyncSubscription(lambda ended: Subscription(settings, ended=ended))


def subscribe_events(topic: str = EVENTS, **options: Unpack[ReadOptions]) -> EventSubscription:
    """Events of a topic, as `subscribe` does it with frames. For the options see ReadOptions."""
    return EventSubscription(_settings(topic, options))


def subscribe_events_async(topic: str = EVENTS, **options: Unpack[ReadOptions]) -> AsyncSubscription[ReceivedEvent]:
    """As `subscribe_events`, for `async for`."""
    settings = _settings(topic, options)
    return AsyncSubscription(lambda ended: EventSubscription(settings, ended=ended))


def _settings(topic: str, options: FrameOptions | ReadOptions) -> SubscriptionSettings:
    known = FrameOptions.__annotations__
    if unknown := sorted(set(options) - set(known)):
        raise SettingError(f"subscribe: there is no option {unknown[0]!r}; there are {', '.join(known)}")
    kafka, bootstrap, now_ns = options.get("kafka"), options.get("bootstrap"), time.time_ns()
    kafka = kafka or load_kafka_settings(bootstrap=bootstrap)
    decode = options.get("decode")
    if decode is not None and decode != "gray" and not _is_size(decode):
        raise SettingError(f"decode {decode!r}: expected (width, height) in pixels, or 'gray'")
    return SubscriptionSettings(
        kafka=kafka.model_copy(update={"bootstrap": bootstrap}) if bootstrap else kafka,
        topic=topic,
        cameras=CameraGlobs.of(options.get("cameras")),
        group=options.get("group"),
        since_ns=_at_ns(options.get("since"), now_ns=now_ns),
        until_ns=_at_ns(options.get("until"), now_ns=now_ns),
        ack=options.get("ack", "next"),
        freshest=bool(options.get("freshest", False)),
        size=decode if isinstance(decode, tuple) else None,
        gray=decode == "gray",
        dedupe_window_s=options.get("dedupe_window", 10.0),
        group_protocol=options.get("group_protocol", "auto"),
    )


def _is_size(decode: object) -> bool:
    return isinstance(decode, tuple) and len(decode) == 2 and all(isinstance(each, int) for each in decode)


def _at_ns(at: Time | None, *, now_ns: int) -> int | None:
    if isinstance(at, str):
        return parse_time(at, now_ns=now_ns)
    return to_ns(at) if isinstance(at, datetime) else at
