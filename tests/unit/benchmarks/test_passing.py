"""What passing a camera's bytes costs beside decoding them: its figures, and the camera."""

import urllib.request

import numpy as np
import pytest

from benchmarks.figures import Sample
from benchmarks.mjpeg_camera import mjpeg_camera
from benchmarks.race import Mark
from benchmarks.suites.passing import section
from producers.sources.jpeg_stream import JpegSplitter
from streams.contract.images import encode

SIZE, PASSED, DECODED = "1280x720", "Framelane, byte for byte", "Framelane, decoder opencv"


def samples(*cpu_ms: float) -> list[Sample]:
    return [Sample(fps=60.0, cpu_ms=each, broker_cpu_ms=0.5) for each in cpu_ms]


def test_ratios_are_those_of_the_rounds_and_come_with_their_spread() -> None:
    found = section({(SIZE, PASSED): samples(0.5, 1.0, 0.5), (SIZE, DECODED): samples(6.0, 11.0, 4.5)})

    assert [row[:3] for row in found.rows] == [
        (f"{SIZE}: {PASSED}", "60 (60 to 60)", "0.50 (0.50 to 1.00)"),
        (f"{SIZE}: {DECODED}", "60 (60 to 60)", "6.00 (4.50 to 11.00)"),
    ]
    (target,) = found.targets
    assert str(target) == f"{SIZE}: CPU a frame, {DECODED} by byte for byte: 11.00, wanted >= 10: met"
    assert f"{SIZE}: {DECODED} 11.0 (9.0 to 12.0)." in found.notes[1]
    assert [(bar.value, bar.low, bar.high) for bar in found.bars] == [(0.5, 0.5, 1.0), (6.0, 4.5, 11.0)]


def test_a_sample_is_what_lies_between_two_marks() -> None:
    start = Mark(at_s=10.0, frames=100, cpu_s=1.0, broker_cpu_s=2.0)
    end = Mark(at_s=15.0, frames=400, cpu_s=1.6, broker_cpu_s=2.15)

    sample = start.until(end)

    assert sample.fps == pytest.approx(60.0)
    assert sample.cpu_ms == pytest.approx(2.0)
    assert sample.broker_cpu_ms == pytest.approx(0.5)
    assert start.until(Mark(at_s=15.0, frames=400, cpu_s=1.6, broker_cpu_s=None)).broker_cpu_ms is None


def test_the_camera_sends_its_pictures_forwards_and_backwards() -> None:
    pictures = [encode(np.full((16, 16, 3), 60 * number, np.uint8)) for number in range(3)]
    splitter, found = JpegSplitter(), list[bytes]()

    with mjpeg_camera(pictures, fps=1000.0) as address, urllib.request.urlopen(address) as answer:
        assert answer.headers.get_content_type() == "multipart/x-mixed-replace"
        while len(found) < 6:
            found += [each.jpeg for each in splitter.feed(answer.read(500))]

    assert found[:6] == [pictures[number] for number in (0, 1, 2, 1, 0, 1)]
