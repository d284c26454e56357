"""What the worker tells of each frame to whoever traces it, which is nobody unless the environment asks for it.

The names are OpenTelemetry's own. With `OTEL_TRACES_EXPORTER=otlp`, or an `OTEL_EXPORTER_OTLP_ENDPOINT` and no word on
exporters, frames are traced (streams/tracing.py, the only one that loads OpenTelemetry); otherwise nothing of it runs.
"""

import asyncio
import importlib
import logging
from collections.abc import Mapping
from typing import Protocol

from streams.contract.headers import Record
from streams.contract.topics import RAW

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class FrameTrace(Protocol):
    """One frame's span. It takes effect only when `ended` is called: a frame that comes again is traced again."""

    # When a thread began the frame, and when its result was there: ns since 1970, 0 when that did not happen.
    begun_ns: int
    ready_ns: int

    @property
    def traceparent(self) -> str:
        """Names the frame's span, for what is made of the frame."""

    def ended(self, fate: str, *, failed: bool, seconds: Mapping[str, float]) -> None:
        """The broker has all that was made of the frame. seconds: by stage, in the order in which they ran."""


class Tracing(Protocol):
    """Makes the spans of frames."""

    def begin(self, record: Record, *, received_ns: int, pipeline: str) -> FrameTrace:
        """A frame is about to be run, which was taken in at that time, ns since 1970. pipeline: `name@hash`."""

    def close(self) -> None:
        """Hand over what is left; it waits for a few seconds at most."""


def open_tracing(environ: Mapping[str, str], *, group: str, input_topic: str = RAW) -> Tracing | None:
    """What traces the frames of a pipeline, when the environment asks for it and it can be had.

    Whatever is wrong with it is logged, with the mend, and the worker runs without: frames matter more.
    """
    if not _asked(environ):
        return None
    try:
        tracing = importlib.import_module("streams.tracing")
        made: Tracing = tracing.to_collector(environ, group=group, input_topic=input_topic)
    except ImportError as error:
        log.warning("frames are not traced, though OTEL_* asks for it: %s; pip install 'framelane[otel]'", error)
        return None
    except (OSError, ValueError) as error:
        log.warning("frames are not traced, as a setting in OTEL_* is wrong: %s", error)
        return None
    log.info("frames are traced; OTEL_TRACES_EXPORTER=none turns it off")
    return made


async def close_tracing(tracing: Tracing | None) -> None:
    """Hand over what is left, if anything is traced."""
    if tracing is not None:
        await asyncio.to_thread(tracing.close)


def _asked(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = {each.strip() for each in environ.get("OTEL_TRACES_EXPORTER", "").split(",")} - {""}
    if unknown := exporters - {"otlp", "none"}:
        log.warning("OTEL_TRACES_EXPORTER %s: not known here; otlp and none are", ", ".join(sorted(unknown)))
    if "otlp" not in exporters and (exporters or not any(environ.get(name) for name in _ENDPOINTS)):
        return False
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        log.warning("frames are not traced: the protocol %s is not known here; http/protobuf is (port 4318)", protocol)
        return False
    return True
