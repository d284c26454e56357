"""Cameras into Kafka: sources, their pace, and the producer that publishes their frames.

Sources (and with them OpenCV) are loaded only by those who import `producers.sources`.
"""

from producers.camera_producer import CameraProducer
from producers.frame_producer import FrameProducer
from producers.outbox import Policy

__all__ = ["CameraProducer", "FrameProducer", "Policy"]
