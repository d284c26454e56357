"""The work on one frame, the plain way: the same calls for every contender that is not ours."""

import json
from collections.abc import Callable

import cv2

from benchmarks.job import Job
from streams.contract.images import decode, encode

# Key (camera) and value (image) of a record -> the image that goes out, and the events as JSON.
Process = Callable[[bytes, bytes], tuple[bytes, list[bytes]]]


def process_of(job: Job) -> Process:
    """The function that does the job's work on a frame. Only "motion" has memory: a camera's frames in order."""
    return {"blur": _blur, "half": _half, "motion": _motion, "heavy": _heavy}[job.work](job.quality)


def _blur(quality: int) -> Process:
    def blur(_: bytes, data: bytes) -> tuple[bytes, list[bytes]]:
        return encode(cv2.GaussianBlur(decode(data), (5, 5), 0), quality=quality), []  # type: ignore[arg-type]

    return blur


def _heavy(quality: int) -> Process:
    def heavy(_: bytes, data: bytes) -> tuple[bytes, list[bytes]]:
        return encode(cv2.medianBlur(decode(data), 31), quality=quality), []  # type: ignore[arg-type]

    return heavy


def _half(quality: int) -> Process:
    def half(_: bytes, data: bytes) -> tuple[bytes, list[bytes]]:
        image = decode(data)
        size = (image.shape[1] // 2, image.shape[0] // 2)
        return encode(cv2.resize(image, size, interpolation=cv2.INTER_AREA), quality=quality), []  # type: ignore[arg-type]

    return half


def _motion(quality: int) -> Process:
    # Loaded here: the other contenders' environment lacks what events are made of.
    import msgspec

    from streams.contract.frame import Frame
    from streams.operators.motion import Motion

    watches: dict[bytes, Callable[[Frame], Frame | None]] = {}

    def motion(camera: bytes, data: bytes) -> tuple[bytes, list[bytes]]:
        image = decode(data)
        watch = watches.get(camera) or watches.setdefault(camera, Motion().open())
        height, width = image.shape[:2]
        frame = Frame(camera_id=camera.decode(), epoch="", sequence=0, captured_at_ns=0, width=width, height=height)
        found = watch(frame.with_image(image))
        events = [] if found is None else [json.dumps(msgspec.to_builtins(event)).encode() for event in found.events]
        return encode(image, quality=quality), events

    return motion
