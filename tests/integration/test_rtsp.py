"""A camera that speaks RTSP, played by a real server: it is read, lost, and found again."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from kafka_support import drain, run_cli, start_cli
from worker_support import identity

PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).parents[1] / "support" / "rtsp_server.py"


def _has_server() -> bool:
    if shutil.which(PYTHON) is None:
        return False
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _has_server(), reason="no GStreamer RTSP server (Debian: see .ci/run)")


@contextmanager
def rtsp_server(port: int = 0) -> Iterator[int]:
    """The server's port; it is killed at the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    process = subprocess.Popen([PYTHON, str(SERVER), str(port)], stdout=subprocess.PIPE, env=environ)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_frames_of_an_rtsp_camera(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    topic = make_topic("raw")
    with rtsp_server() as port:
        source = ["produce", f"rtsp://user:hunter2@127.0.0.1:{port}/camera", "--camera", "yard", "--count", "20"]
        done = run_cli([*source, "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"])
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stderr
    messages = drain(kafka_bootstrap, topic, count=20)
    assert [identity(message)[2] for message in messages] == list(range(20))
    image = cv2.imdecode(np.frombuffer(messages[-1].value() or b"", np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (240, 320, 3)
    captured = [int(dict(message.headers() or [])["ce_capturedns"]) for message in messages]
    assert captured == sorted(captured)


def test_a_camera_that_is_lost_and_comes_back(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    topic = make_topic("raw")
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        port = first.enter_context(rtsp_server())
        source = ["produce", f"rtsp://127.0.0.1:{port}/camera", "--camera", "yard"]
        camera = stack.enter_context(
            start_cli([*source, "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"])
        )
        stack.callback(camera.kill)
        drain(kafka_bootstrap, topic, count=10)
        first.close()
        stack.enter_context(rtsp_server(port))
        messages = drain(kafka_bootstrap, topic, until=lambda ms: len({identity(m)[1] for m in ms}) == 2, timeout_s=60)
        camera.send_signal(signal.SIGTERM)
        _, log = camera.communicate(timeout=60)
    assert camera.returncode == 0, log.decode()
    assert re.search(r"captured \d+, produced \d+, dropped 0", log.decode()), log.decode()
    # The new epoch begins at 0, after the old one.
    names = [identity(message) for message in messages]
    second = [sequence for _, epoch, sequence in names if epoch == names[-1][1]]
    assert names[-1][1] > names[0][1]
    assert second == list(range(len(second)))
