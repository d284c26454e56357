"""The whole way of a video: file -> producer -> worker -> subscriber."""

import signal
from collections.abc import Callable
from pathlib import Path

from kafka_support import run_cli, start_cli
from producer_support import VIDEO_CAMERA, scene_images, write_video
from worker_support import make_topics

from consumers import subscribe
from producers.stamp import Stamp, camera_hash, read_stamp


def test_every_frame_of_a_video_comes_out_once_in_order_in_the_pipelines_size(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    count = 90
    video = write_video(tmp_path / "video.mp4", scene_images(count, size=(640, 480)))
    topics = make_topics(make_topic)
    reach = ["--bootstrap", kafka_bootstrap, "--no-status"]
    produced = run_cli(["produce", str(video), "--camera", VIDEO_CAMERA, "--fast", "--topic", topics.raw, *reach])
    assert produced.returncode == 0, produced.stderr
    operators = ["--op", "resize:width=320", "--op", "blur", "--op", "annotate"]
    where = ["--input", topics.raw, "--output", topics.processed, "--events", topics.events]
    where += ["--dead-letter", topics.dead_letter, "--group", topics.raw]
    with start_cli(["work", *operators, *where, *reach]) as worker:
        try:
            with subscribe(topics.processed, bootstrap=kafka_bootstrap, since="-10m") as frames:
                got = [next(frames) for _ in range(count)]
                worker.send_signal(signal.SIGTERM)
                _, log = worker.communicate(timeout=60)
                # It has said its last: nothing came twice, or was made up.
                assert frames.poll(1.0) is None
                assert frames.sums[VIDEO_CAMERA].duplicates == 0
        finally:
            worker.kill()
    assert worker.returncode == 0, log.decode()
    assert [frame.sequence for frame in got] == list(range(count))
    stamps = [read_stamp(frame.image) for frame in got]
    assert stamps == [Stamp(camera_hash(VIDEO_CAMERA), number) for number in range(count)]
    assert {(frame.width, frame.height, frame.content_type) for frame in got} == {(320, 240, "image/jpeg")}
    assert {frame.image.shape for frame in got} == {(240, 320, 3)}
