"""`passing`: a camera's JPEGs into Kafka byte for byte, against decoding them and encoding them again."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.bench import Bench
from benchmarks.figures import Sample, paired_ratio, spread, turns
from benchmarks.job import Job
from benchmarks.mjpeg_camera import mjpeg_camera
from benchmarks.processes import Contender
from benchmarks.race import wait_for_frames
from benchmarks.reading import EndOffsets, read_topic
from benchmarks.section import Bar, Section, Target
from benchmarks.suites import rows
from streams.contract.errors import FramelaneError
from streams.contract.images import inspect

_SIZES = ((1280, 720), (1920, 1080))
# A camera's pace, or two cameras': read at full speed, most of what waking up costs would be missing.
_FPS = 60.0
_PASSED, _DECODED, _LOOP = "Framelane, byte for byte", "Framelane, decoder opencv", "VideoCapture and imencode"
_CONTENDERS = {_PASSED: "produce", _DECODED: "produce", _LOOP: "capture_loop"}
# The window leaves out the start.
_FROM = 0.1
_SAMPLE = 30
Found = Mapping[tuple[str, str], Sequence[Sample]]


def run(bench: Bench) -> Section:
    """Each way in turn reads the same camera, at two sizes; every round runs all of them."""
    found: dict[tuple[str, str], list[Sample]] = {}
    entrants = [(size, label) for size in _SIZES for label in _CONTENDERS]
    for number, (size, label) in turns(entrants, bench.settings.rounds):
        title = f"{size[0]}x{size[1]}"
        sample = _run_once(bench, size, label)
        found.setdefault((title, label), []).append(sample)
        bench.say(f"passing {number + 1}/{bench.settings.rounds}  {title}, {label}: {sample.cpu_ms:.2f} ms a frame")
    titles = [f"{width}x{height}" for width, height in _SIZES]
    return section({(title, label): found[title, label] for title in titles for label in _CONTENDERS})


def section(found: Found) -> Section:
    """The table, and how many times what passing takes the other ways take; samples by size and way, one a round."""
    labelled = {f"{title}: {label}": samples for (title, label), samples in found.items()}
    ratios = {
        (title, label): paired_ratio([each.cpu_ms for each in samples], [each.cpu_ms for each in found[title, _PASSED]])
        for (title, label), samples in found.items()
        if label != _PASSED
    }
    more = [f"{title}: {label} {ratio:.1f}" for (title, label), ratio in ratios.items()]
    return Section(
        name="passing",
        title="Passing: a camera's JPEGs into Kafka byte for byte, or decoded and encoded again",
        header=rows.HEADER,
        rows=rows.rows(labelled),
        targets=[
            Target(f"{title}: CPU a frame, {label} by byte for byte", ratio.median, ">=", 10.0)
            for (title, label), ratio in ratios.items()
        ],
        notes=(
            f"One MJPEG camera over HTTP, {_FPS:g} frames/s; what is encoded again has quality 80. Processor time is "
            "that of the process that reads and publishes. Byte for byte: the topic had the camera's own bytes.",
            f"Times what byte for byte takes, median (smallest to largest) of the rounds: {'; '.join(more)}.",
        ),
        unit="CPU ms a frame",
        bars=[
            Bar(label, across.median, across.low, across.high)
            for label, samples in labelled.items()
            for across in (spread([each.cpu_ms for each in samples]),)
        ],
        data=rows.data(labelled),
    )


def _run_once(bench: Bench, size: tuple[int, int], label: str) -> Sample:
    """Let one read the camera until the topic has its frames; what that took a frame."""
    pictures, frames = bench.pictures(size)[0][0], bench.settings.frames // 2
    with mjpeg_camera(pictures, fps=_FPS) as address:
        decoder = (("decoder", "opencv"),) if label == _DECODED else ()
        model = Job(bootstrap=bench.kafka.bootstrap, input=address, width=size[0], extra=decoder)
        with bench.job(model, partitions=1) as job:
            count = EndOffsets(job.bootstrap, job.output, partitions=1).count
            with Contender(_CONTENDERS[label], job) as contender:
                start = wait_for_frames(bench, contender, count, math.ceil(_FROM * frames))
                end = wait_for_frames(bench, contender, count, frames)
            _check(job, label, pictures, size)
    return start.until(end)


def _check(job: Job, label: str, pictures: Sequence[bytes], size: tuple[int, int]) -> None:
    """FramelaneError when the first frames are not what they must be: the camera's own bytes, or another JPEG."""
    for message in read_topic(job.bootstrap, job.output, count=_SAMPLE):
        data = message.value() or b""
        header = inspect(data)
        if (data in pictures) != (label == _PASSED) or (header.width, header.height) != size:
            raise FramelaneError(f"{label}: frame {message.offset()} has other bytes than it must have")
