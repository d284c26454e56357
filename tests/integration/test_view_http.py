"""The live view over HTTP, as programs and strangers meet it."""

import http.client
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from consumer_support import frame_of, publish
from kafka_support import create_topic, run_cli, unique
from openapi_spec_validator import validate
from view_support import View
from websockets.sync.client import connect
from worker_support import Topics

from streams.contract.frame import Frame

SECRET = "3f2a9c0d7be14455"
CAMERA = "gate-1"


@dataclass
class Scene:
    """A view without a token, and the frame that was published last."""

    view: View
    topics: Topics
    frame: Frame


@pytest.fixture(scope="module")
def scene(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    topics = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    for topic in (topics.raw, topics.processed, topics.events):
        create_topic(kafka_bootstrap, topic, partitions=1, config={})
    with View(kafka_bootstrap, topics, tmp_path_factory.mktemp("view")) as view:
        frame = frame_of(CAMERA, 7, captured_at_ns=time.time_ns(), width=1280, height=720)
        publish(kafka_bootstrap, topics.processed, [frame])
        yield Scene(view, topics, frame)


def get(
    view: View, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", view.port, timeout=15)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_latest_picture_is_what_was_published_and_says_which(scene: Scene) -> None:
    status, headers, body = get(scene.view, f"/cameras/{CAMERA}/latest.jpg")
    assert (status, body == scene.frame.data, headers["content-type"]) == (200, True, "image/jpeg")
    assert headers["x-framelane-id"] == scene.frame.name
    assert headers["x-framelane-captured-ns"] == str(scene.frame.captured_at_ns)
    assert headers["x-framelane-place"] == f"{scene.topics.processed}/0/0"
    assert headers["x-framelane-pipeline"] == scene.frame.pipeline
    assert headers["cache-control"] == "no-store"
    _, _, smaller = get(scene.view, f"/cameras/{CAMERA}/latest.jpg?width=320")
    assert cv2.imdecode(np.frombuffer(smaller, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/cameras/none/latest.jpg", 404, CAMERA),
        ("/cameras/gate-1/latest.jpg?width=wide", 400, "width 'wide'"),
        ("/cameras/gate-1/mjpeg?fps=0", 400, "fps"),
        ("/cameras/gate-1/mjpeg?kind=other", 400, "processed or raw"),
        ("/none", 404, "/openapi.json"),
    ],
)
def test_what_is_wrong_is_told(scene: Scene, path: str, status: int, says: str) -> None:
    found, headers, body = get(scene.view, path)
    assert (found, says in json.loads(body)["error"]) == (status, True), body
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_openapi_is_valid_and_tells_of_what_there_is(scene: Scene) -> None:
    document = json.loads(get(scene.view, "/openapi.json")[2])
    validate(document)
    for path in document["paths"]:
        asked = re.sub(r"{\w+}", "0", path.replace("{camera}", CAMERA))
        if path.startswith("/api/"):
            # Of no frame that there is; the path itself is known.
            assert b"see /openapi.json" not in get(scene.view, asked)[2], path
        else:
            assert get(scene.view, asked, method="HEAD")[0] == 200, path
    # Cameras of other tests may be reported on frames.status, which all share.
    cameras = {each["camera_id"]: each for each in json.loads(get(scene.view, "/cameras")[2])}
    camera = cameras[CAMERA]
    assert camera["width"] == 1280
    assert camera.keys() == document["components"]["schemas"]["CameraFigures"]["properties"].keys()


def test_players_read_the_stream(scene: Scene) -> None:
    address = f"{scene.view.address}cameras/{CAMERA}/mjpeg"
    command = ["ffprobe", "-v", "error", "-f", "mpjpeg", "-show_entries", "stream=width,height,codec_name"]
    command += ["-read_intervals", "%+#1", "-probesize", "32", "-of", "csv=p=0", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.strip() == "mjpeg,1280,720", done.stderr


def test_strangers_are_refused(scene: Scene) -> None:
    assert get(scene.view, "/cameras", {"Host": "evil.example"})[0] == 421
    assert get(scene.view, "/api/try", {"Origin": "http://evil.example"}, "POST")[0] == 403
    with (
        pytest.raises(Exception, match="403"),
        connect(
            f"ws://127.0.0.1:{scene.view.port}/ws",
            origin="http://evil.example",  # type: ignore[arg-type]
        ),
    ):
        pass


def test_a_port_that_is_taken_and_an_open_address_without_a_token(scene: Scene, kafka_bootstrap: str) -> None:
    taken = run_cli(
        ["view", "--port", str(scene.view.port), "--bootstrap", kafka_bootstrap, "--output", scene.topics.processed]
    )
    assert taken.returncode == 1
    assert "--port" in taken.stderr
    opened = run_cli(["view", "--host", "0.0.0.0", "--port", "-1", "--bootstrap", kafka_bootstrap])
    assert opened.returncode == 2
    assert "--no-auth" in opened.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_while_somebody_watches(
    scene: Scene, kafka_bootstrap: str, tmp_path: Path, number: int, code: int
) -> None:
    view = View(kafka_bootstrap, scene.topics, tmp_path)
    view.environ = {"FRAMELANE_VIEW_TOKEN": SECRET}
    bearer = {"Authorization": f"Bearer {SECRET}"}
    with view:
        assert get(view, "/cameras")[0] == 401
        publish(kafka_bootstrap, scene.topics.processed, [scene.frame])
        with (
            connect(f"ws://127.0.0.1:{view.port}/ws", additional_headers=bearer) as page,
            socket.create_connection(("127.0.0.1", view.port), timeout=15) as player,
        ):
            assert json.loads(page.recv(timeout=10))["type"] == "hello"
            head = "".join(f"{name}: {value}\r\n" for name, value in bearer.items())
            player.sendall(f"GET /cameras/{CAMERA}/mjpeg HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
            assert player.recv(100).startswith(b"HTTP/1.1 200")
            found, took_s = view.stop(number)
            with suppress(OSError):
                page.close()
    assert (found, took_s < 3) == (code, True), took_s
    assert "Traceback" not in view.log
