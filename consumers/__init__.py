"""Kafka to the outside: subscribe() hands out frames, sinks write them.

    for frame in subscribe("frames.processed", bootstrap="localhost:9092", cameras=["gate-*"]):
        frame.image

Neither Faust nor OpenCV is loaded by the import; OpenCV is when a picture is first decoded.
"""

from consumers.settings import SubscriptionSettings
from consumers.subscription import Subscription, subscribe
from consumers.tally import CameraSums

__all__ = ["CameraSums", "Subscription", "SubscriptionSettings", "subscribe"]
