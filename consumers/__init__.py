"""Kafka to the outside: subscribe() hands out frames, subscribe_events() what was found in them, sinks write them.

    for frame in subscribe("frames.processed", bootstrap="localhost:9092", cameras=["gate-*"]):
        frame.image

Neither Faust nor OpenCV is loaded by the import; OpenCV is when a picture is first decoded.
"""

from consumers.async_subscription import AsyncSubscription
from consumers.received import Gap, ReceivedEvent, ReceivedFrame
from consumers.settings import SubscriptionSettings
from consumers.subscribing import subscribe, subscribe_async, subscribe_events, subscribe_events_async
from consumers.subscription import EventSubscription, Subscription
from consumers.tally import CameraSums

__all__ = [
    "AsyncSubscription",
    "CameraSums",
    "EventSubscription",
    "Gap",
    "ReceivedEvent",
    "ReceivedFrame",
    "Subscription",
    "SubscriptionSettings",
    "subscribe",
    "subscribe_async",
    "subscribe_events",
    "subscribe_events_async",
]
