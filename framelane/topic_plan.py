"""What cameras cost: disk, bandwidth and partitions, by plain arithmetic whose assumptions are named."""

import math
from dataclasses import dataclass

from streams.contract.errors import SettingError
from streams.contract.topics import DEFAULTS, MIB, RAW

# JPEG at quality 80 of everyday scenes takes 0.1 to 0.2 bytes a pixel; noise and foliage more.
BYTES_PER_PIXEL = 0.15
HEADER_BYTES = 400
SEGMENT_BYTES = 128 * MIB
# One worker on two cores did 150 to 180 frames/s of 1280x720; half of that leaves room for heavier operators.
FRAMES_PER_WORKER = 75
# What is too old goes when its whole segment is: on top of what is kept there is the one being written, and one that
# waits for its last frame to be too old.
SEGMENTS_MORE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a topic of frames costs. Rates are bytes a second; `_bytes` of disk are over all replicas.

    kept_s: how long frames stay with the default limit of bytes per partition, which may be shorter than asked.
    retention_bytes: the limit per partition that keeps them as long as asked.
    """

    cameras: int
    fps: float
    frame_bytes: int
    retention_s: float
    replicas: int
    frames_per_s: float
    write_bytes_per_s: float
    read_bytes_per_s: float
    network_bytes_per_s: float
    disk_bytes: int
    workers: int
    partitions: int
    retention_bytes: int
    kept_s: float
    max_bytes: int


def plan(
    cameras: int, *, fps: float, frame_bytes: int, retention_s: float, replicas: int = 1, subscribers: int = 1
) -> Plan:
    """Work out what so many cameras cost, with processed frames as large as raw ones, and one pipeline.

    frame_bytes: of one encoded frame. subscribers: of the processed frames.
    """
    named = {"cameras": cameras, "fps": fps, "frame-bytes": frame_bytes, "retention": retention_s, "replicas": replicas}
    for name, value in named.items():
        if not (math.isfinite(value) and value > 0):
            expected = "more than 0" if math.isfinite(value) else "a finite number"
            raise SettingError(f"--{name} {value:g}: expected {expected}")
    frames = cameras * fps
    rate = frames * (frame_bytes + HEADER_BYTES)
    workers = math.ceil(frames / FRAMES_PER_WORKER)
    # As many again as there are workers, so that load spreads and workers can be added; a camera has one partition.
    partitions = max(DEFAULTS[RAW].partitions, 2 * workers)
    # Keys are hashed, so cameras do not spread evenly: the fullest partition may have twice its share.
    share = rate * min(1.0, max(2.0 / partitions, 1.0 / cameras))
    segment = min(SEGMENT_BYTES, rate / partitions * retention_s / 4)
    disk = math.ceil((rate * retention_s + SEGMENTS_MORE * segment * partitions) * replicas)
    return Plan(
        cameras=cameras,
        fps=fps,
        frame_bytes=frame_bytes,
        retention_s=retention_s,
        replicas=replicas,
        frames_per_s=frames,
        write_bytes_per_s=2 * rate,
        read_bytes_per_s=(1 + subscribers) * rate,
        network_bytes_per_s=(2 * replicas + 1 + subscribers) * rate,
        disk_bytes=disk,
        workers=workers,
        partitions=partitions,
        retention_bytes=math.ceil(share * retention_s + SEGMENTS_MORE * segment),
        kept_s=min(retention_s, DEFAULTS[RAW].retention_bytes / share),
        max_bytes=max(DEFAULTS[RAW].max_bytes, 4 * frame_bytes),
    )
