"""Real footage for tests: `box.mp4` of OpenCV's documentation, as Debian's package opencv-doc brings it."""

import gzip
import tempfile
from pathlib import Path

import cv2
import pytest

from streams.contract.images import Image, encode

# 640x480, 455 frames: a box on a table, moved, turned and taken away by hand.
BOX = Path("/usr/share/doc/opencv-doc/opencv4/html/box.mp4.gz")


def box_video() -> bytes:
    """The video, as a file has it; skips the test where it is not installed."""
    if not BOX.is_file():
        pytest.skip(f"{BOX} is missing: install Debian's package opencv-doc")
    return gzip.decompress(BOX.read_bytes())


def box_jpegs() -> list[bytes]:
    """All frames of the video as JPEGs; skips the test where it is not installed."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(box_video())
        file.flush()
        capture = cv2.VideoCapture(file.name)
        jpegs = []
        while True:
            sound, image = capture.read()
            if not sound:
                break
            picture: Image = image  # type: ignore[assignment]
            jpegs.append(encode(picture, quality=80))
        capture.release()
    assert len(jpegs) == 455
    return jpegs
