"""Cameras into Kafka: sources, their pace, and the producer that publishes their frames.

Sources (and with them OpenCV) are loaded only by those who import `producers.sources`, and Kafka's client only by those
who use a producer: the processes that read cameras have no need of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producers.async_camera_producer import AsyncCameraProducer
    from producers.camera_producer import CameraProducer
    from producers.frame_producer import FrameProducer
    from producers.outbox import Policy

_MODULES = {
    "AsyncCameraProducer": "async_camera_producer",
    "CameraProducer": "camera_producer",
    "FrameProducer": "frame_producer",
    "Policy": "outbox",
}

__all__ = ["AsyncCameraProducer", "CameraProducer", "FrameProducer", "Policy"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
