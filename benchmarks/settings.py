"""What a run of the benchmarks may be told."""

from dataclasses import dataclass, field
from pathlib import Path

from streams.contract.errors import SettingError
from streams.settings import cores


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSettings:
    """Settings of all benchmarks.

    rounds: how often each contender runs. frames: of a round at 1280x720; larger pictures have fewer.
    partitions, cameras: of the input topic. size: (width, height) in pixels. video: a file in place of the synthetic
    scene, at its own size. threads: frames processed at the same time. minutes: how long memory is watched.
    bootstrap: somebody's Kafka; "" is an embedded one. folder: for the results.
    """

    rounds: int = 5
    frames: int = 1500
    partitions: int = 4
    cameras: int = 8
    size: tuple[int, int] = (1280, 720)
    video: Path | None = None
    threads: int = field(default_factory=cores)
    minutes: float = 10.0
    bootstrap: str = ""
    folder: Path = Path("bench-output")

    def __post_init__(self) -> None:
        least = {"rounds": 1, "frames": 100, "partitions": 1, "cameras": 1, "threads": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise SettingError(f"--{name} {getattr(self, name)}: expected {low} at the least")
        if self.minutes <= 0:
            raise SettingError(f"--minutes {self.minutes:g}: expected above 0")
        if self.video is not None and not self.video.is_file():
            raise SettingError(f"--video {self.video}: no such file")
