"""The image, built and run: `make image-test`. Its roles do their work on a real Kafka, as nobody, on a read-only root.

Not part of `make test`: it needs root, buildah and debootstrap, and takes minutes. FRAMELANE_IMAGE_BASE names a base
for the image in place of the one that is made by debootstrap.
"""

import json
import os
import re
import shutil
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from buildah import NEEDED, ROOT, Buildah, build, make_base
from container import Container
from gateway_support import number_of, numbered
from kafka_support import drain

from framelane.embedded import EmbeddedKafka
from framelane.embedded.ports import free_ports
from streams.contract.images import decode

pytestmark = pytest.mark.timeout(1800)

TAG = "localhost/framelane-image-test"
LABELS = {"VERSION": "0.0.test", "REVISION": "0123abc", "CREATED": "2026-01-01T00:00:00Z"}
COMPOSE = ROOT / "deploy" / "compose"
SERVICES: Mapping[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))["services"]
PROBE = """
import errno, json, os, pathlib
def wrote(path):
    try:
        pathlib.Path(path).write_text("x")
    except OSError as error:
        return errno.errorcode[error.errno]
    return "yes"
found = {path: wrote(path) for path in ("/x", "/work/x", "/opt/framelane/x", "/tmp/x")}
print(json.dumps(found | {"uid": os.getuid()}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What was built. root: the root file system of a container of it. folder: for logs."""

    buildah: Buildah
    container: str
    root: Path
    config: Mapping[str, Any]
    folder: Path

    def start(self, *arguments: str, bootstrap: str = "", **more: Any) -> Container:
        """A command of the image, told where Kafka is as one is told in a container."""
        environ = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap} if bootstrap else {}
        return Container(self.root, self.config, *arguments, folder=self.folder, environ=environ, **more)

    def service(self, name: str, *more: str, bootstrap: str) -> Container:
        """A service of deploy/compose, with its files; more: further arguments."""
        command = [str(word) for word in SERVICES[name]["command"]]
        return self.start(*command, *more, bootstrap=bootstrap, mounts={COMPOSE / "framelane": "etc/framelane"})


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built on a base of this machine's Debian, and a container of it; all of it goes at the end."""
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}: apt install buildah debootstrap util-linux")
    if os.geteuid():
        pytest.fail("building images and mounting needs root: sudo make image-test")
    folder = tmp_path_factory.mktemp("image")
    buildah = Buildah(folder)
    try:
        base = os.environ.get("FRAMELANE_IMAGE_BASE", "")
        if not base:
            base = "localhost/framelane-image-base"
            make_base(buildah, folder, name=base)
        build(buildah, folder, base=base, tag=TAG, labels=LABELS)
        with buildah.container(TAG) as (container, root):
            yield Image(buildah=buildah, container=container, root=root, config=buildah.config(TAG), folder=folder)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def kafka(image: Image) -> Iterator[str]:
    """The embedded Kafka with the topics that the service `topics` makes, and those of the gateway."""
    with EmbeddedKafka() as broker:
        for container in (
            image.service("topics", bootstrap=broker.bootstrap),
            image.start("topics", "create", "frames.requests", "frames.replies", bootstrap=broker.bootstrap),
        ):
            with container:
                assert container.wait() == 0
        yield broker.bootstrap


def test_it_says_what_it_is(image: Image) -> None:
    labels = {name.rpartition("image.")[2]: value for name, value in image.config["Labels"].items()}
    assert {name: labels[name.lower()] for name in LABELS} == LABELS
    assert labels["licenses"] == "Apache-2.0" and labels["title"] == "framelane" and labels["base.name"]
    assert image.config["User"] == "10001:10001"
    assert image.config["Entrypoint"] == ["framelane"]
    assert {"8000/tcp", "8080/tcp", "8088/tcp", "9464/tcp"} == {*image.config["ExposedPorts"]}
    assert image.buildah("run", "--isolation=chroot", image.container, "--", "id", "-u").strip() == "10001"


def test_it_holds_no_tools_and_no_settings_of_the_build(image: Image) -> None:
    for path in ("opt/build", "src", "etc/pip.conf", "opt/framelane/bin/pip", "opt/framelane/bin/pytest"):
        assert not (image.root / path).exists(), path
    size = sum(path.lstat().st_size for path in (image.root / "opt/framelane").rglob("*") if path.is_file())
    whole = sum(path.lstat().st_size for path in image.root.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"size: {whole / 1e6:.0f} MB, of which /opt/framelane {size / 1e6:.0f} MB")
    assert size < 600e6


def test_it_is_nobody_and_may_write_to_tmp_only(image: Image) -> None:
    with image.start("-c", PROBE, entrypoint=["/opt/framelane/bin/python"]) as container:
        assert container.wait() == 0
    assert json.loads(container.log) == {
        "/x": "EROFS",
        "/work/x": "EROFS",
        "/opt/framelane/x": "EROFS",
        "/tmp/x": "yes",
        "uid": 10001,
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 0, "Usage: framelane"),
        (("--version",), 0, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]),
        (("operators",), 0, "motion"),
        (("view",), 2, "give a token with --token-file"),
        (("work", "--wait", "0s"), 2, "expected --pipelines FILE"),
        (("broker",), 1, "pip install 'framelane[broker]'"),
    ],
)
def test_its_commands_answer(image: Image, arguments: tuple[str, ...], code: int, said: str) -> None:
    with image.start(*(arguments or image.config["Cmd"])) as container:
        assert container.wait() == code, container.log
    assert said in re.sub(r"\s+", " ", container.log)


def test_a_role_that_waits_for_the_broker_is_not_healthy_and_ends_when_told(image: Image) -> None:
    (nobody,) = free_ports(1)
    with image.start("view", "--no-auth", bootstrap=f"127.0.0.1:{nobody}") as view:
        _, *check = image.config["Healthcheck"]["Test"]
        found = view.execute(check)
        while "nobody listens on port 8088" not in found.stdout:
            assert view.process.poll() is None, view.log
            found = view.execute(check)
        assert found.returncode == 1
        view.wait_ready_to_end()
        code, took_s = view.stop()
    assert (code, took_s < 5) == (0, True)


def fetched(port: int, path: str, *, data: bytes | None = None) -> tuple[int, bytes]:
    """Status and body from an address of this machine other than 127.0.0.1, as from outside the container."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.2:{port}{path}", data=data, timeout=40) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_cameras_worker_and_view_of_compose_do_their_work(image: Image, kafka: str) -> None:
    metrics, worker_metrics, port = free_ports(3)
    with (
        image.service("cameras", "--metrics-port", str(metrics), bootstrap=kafka) as cameras,
        image.service("worker", "--metrics-port", str(worker_metrics), bootstrap=kafka) as worker,
        image.service("view", "--port", str(port), bootstrap=kafka) as view,
    ):
        roles = {"cameras": cameras, "worker": worker, "view": view}
        print({name: f"healthy after {role.wait_healthy():.1f} s" for name, role in roles.items()})
        processed = drain(kafka, "frames.processed", count=40, timeout_s=60)
        assert {message.key() for message in processed} == {b"gate-1", b"gate-2", b"yard-1", b"yard-2"}
        assert 'framelane_frames_total{camera_id="gate-1"' in fetched(metrics, "/metrics")[1].decode()
        assert fetched(worker_metrics, "/readyz") == (200, b"ok\n")
        status, picture = fetched(port, "/cameras/gate-1/latest.jpg")
        assert (status, decode(picture).shape) == (200, (480, 640, 3))
        for role in roles.values():
            assert {role.status("Uid"), role.status("Gid")} == {"10001\t10001\t10001\t10001"}
            assert (role.status("NSpid").split()[-1], role.status("NoNewPrivs")) == ("1", "1")
            assert int(role.status("CapEff"), 16) == 0
        ended = {name: role.stop() for name, role in roles.items()}
        print({name: f"ended with {code} after {took_s:.1f} s" for name, (code, took_s) in ended.items()})
        assert {name: code for name, (code, _) in ended.items()} == dict.fromkeys(roles, 0)
        assert all(took_s < 10 for _, took_s in ended.values())


def test_one_camera_on_the_command_line(image: Image, kafka: str) -> None:
    with image.start("produce", "synthetic:", "--camera", "alone", "--count", "5", bootstrap=kafka) as camera:
        assert camera.wait() == 0
    keys = [message.key() for message in drain(kafka, "frames.raw")]
    assert keys.count(b"alone") == 5


def test_an_image_goes_in_at_the_gateway_and_comes_back_processed(image: Image, kafka: str) -> None:
    port, http_port = free_ports(2)
    options = ["--op", "grayscale", "--with-worker", "--port", str(port), "--http-port", str(http_port)]
    with image.start("gateway", *options, bootstrap=kafka) as gateway:
        print(f"gateway: healthy after {gateway.wait_healthy():.1f} s")
        # Until its worker has the partitions, requests wait.
        status, answer = fetched(http_port, "/process", data=numbered(7))
        assert (status, number_of(answer)) == (200, 7)
        picture = decode(answer).astype(np.int16)
        colours = decode(numbered(7)).astype(np.int16)
        assert np.ptp(picture, axis=2).max() <= 2 < np.ptp(colours, axis=2).max()
        code, took_s = gateway.stop()
        print(f"gateway: ended with {code} after {took_s:.1f} s")
    assert code == 0
