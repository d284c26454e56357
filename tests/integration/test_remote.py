"""Programs that attach to a worker by socket, as the old server's workers did."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from gateway_support import Client, Gateway, PipelineFile, number_of, numbered
from kafka_support import cli_environ, drain

from streams.contract.images import decode, encode

MakeTopic = Callable[..., str]
SUPPORT = Path(__file__).parents[1] / "support"


@contextmanager
def program(port: int, word: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A Twisted worker that is connected."""
    command = [sys.executable, str(SUPPORT / "twisted_worker.py"), f"127.0.0.1:{port}", *([word] if word else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=cli_environ()) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "connected\n"
            yield process
        finally:
            process.kill()


def port_of(gateway: Gateway) -> int:
    """Where its worker waits for programs."""
    return int(gateway.wait_for("programs may connect").partition("127.0.0.1:")[2].split('"')[0])


def upright(answer: bytes) -> bytes:
    """A Twisted worker turns images upside down."""
    return encode(cv2.rotate(decode(answer), cv2.ROTATE_180))  # type: ignore[arg-type]


def test_a_twisted_client_s_images_are_processed_by_twisted_workers_though_some_are_lost(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, '{ op = "remote", listen = "127.0.0.1:0" }')
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway, Client(gateway.port) as client:
        port = port_of(gateway)
        # Nobody is there yet: the first waits.
        client.send(numbered(0))
        with program(port), program(port, "dies"), program(port):
            for number in range(1, 60):
                client.send(numbered(number))
            got = [number_of(upright(client.receive())) for _ in range(60)]
        assert "is lost, its frame goes to another" in gateway.wait_for("is lost")
    assert got == list(range(60))


def test_what_programs_cannot_process_is_a_dead_letter(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    stage = '{ op = "remote", listen = "127.0.0.1:0", timeout_ms = 1500 }'
    file = PipelineFile(make_topic, tmp_path, stage)
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway, Client(gateway.port) as client:
        port = port_of(gateway)
        with program(port, "empty"):
            assert client.ask(numbered(0)) == b""
        with program(port, "junk"):
            assert client.ask(numbered(1)) == b""
        # None is connected.
        assert client.ask(numbered(2)) == b""
        with program(port, "silent"):
            assert client.ask(numbered(3)) == b""
        with program(port):
            assert number_of(upright(client.ask(numbered(4)))) == 4
    letters = [dict(message.headers() or []) for message in drain(kafka_bootstrap, file.topics.dead_letter)]
    assert sorted(letter["dl_reason"] for letter in letters) == [b"operator_error"] * 2 + [b"operator_timeout"] * 2
    errors = " ".join(letter["dl_error"].decode() for letter in letters)
    for part in ("returned an empty image", "neither JPEG, PNG nor WebP", "none is connected", "1 connected"):
        assert part in errors
