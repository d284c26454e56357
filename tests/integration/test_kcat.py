"""The contract, with a tool that knows nothing of us: kcat, as Debian ships it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from kafka_support import drain
from worker_support import JPEG, Fleet, make_topics, send

pytestmark = pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed (Debian: kcat)")


def kcat(*arguments: str, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(["kcat", *arguments], input=stdin, capture_output=True, check=True, timeout=60)
    return done.stdout


def test_a_processed_frame_taken_with_kcat_is_an_image(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    send(kafka_bootstrap, topics.raw, ["gate-1"], 1)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        fleet.start("--op", "resize:width=160")
        drain(kafka_bootstrap, topics.processed, count=1)
    path = tmp_path / "frame.jpg"
    path.write_bytes(
        kcat("-b", kafka_bootstrap, "-t", topics.processed, "-C", "-e", "-q", "-c", "1", "-D", "", "-f", "%s")
    )
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape == (120, 160, 3)


def test_a_bare_jpeg_with_a_key_put_with_kcat_comes_out_processed(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    path = tmp_path / "frame.jpg"
    path.write_bytes(JPEG)
    kcat("-b", kafka_bootstrap, "-t", topics.raw, "-P", "-k", "kitchen", str(path))
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        fleet.start("--op", "grayscale")
        message = drain(kafka_bootstrap, topics.processed, count=1)[0]
    raw = drain(kafka_bootstrap, topics.raw)[0]
    headers = dict(message.headers() or [])
    assert message.key() == b"kitchen"
    assert headers["ce_id"].decode() == f"kitchen/@{topics.raw}-{raw.partition()}/{raw.offset()}"
    assert headers["ce_width"] == b"320"
