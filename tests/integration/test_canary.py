"""A password is shown nowhere: not in logs, errors, metrics, reports, the process list, nor in what goes to Kafka."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from camera_servers import WebCameras, silent_port
from kafka_support import cli_environ, drain, run_cli
from probe_support import fetch

CANARY = "c4n4ry-p4ssw0rd"
MakeTopic = Callable[..., str]


@pytest.fixture
def web() -> Iterator[WebCameras]:
    with WebCameras() as web:
        yield web


def process_list() -> str:
    """The arguments of every process, as everybody may see them."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def test_nothing_of_a_fleet_shows_a_password(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, status = make_topic(partitions=2), "frames.status"
    assert run_cli(["topics", "create", status, "--bootstrap", kafka_bootstrap]).returncode == 0
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    log, file = tmp_path / "log", tmp_path / "cameras.toml"
    with silent_port() as port:
        host = f"127.0.0.1:{web.port}"
        sources = {
            "open": f'source = "http://admin:{CANARY}@{host}/good/open?token={CANARY}"\nfps = 5',
            "refused": f'source = "rtsp://admin:{CANARY}@127.0.0.1:1/live"',
            "silent": f'source = "rtsp://127.0.0.1:{port}/live"\nusername = "admin"\npassword_file = "secret"',
            "by-name": 'source_env = "CAMERA"\ndecoder = "opencv"',
            "odd": f'source = "http://admin:{CANARY}@[not-an-address/"',
            "unknown": f'source = "rstp://admin:{CANARY}@127.0.0.1/live"',
            "missing": f'source = "/nowhere/user=admin_password={CANARY}_channel=1.sdp"',
        }
        file.write_text(
            "".join(f'[[camera]]\nid = "{name}"\nsilence_s = 2\n{text}\n' for name, text in sources.items())
        )
        environ = cli_environ(CAMERA=f"rtsp://admin:{CANARY}@127.0.0.1:{port}/live")
        command = [sys.executable, "-m", "framelane", "produce", "--cameras", str(file), "--log-level", "debug"]
        command += ["--topic", topic, "--bootstrap", kafka_bootstrap]
        shown = ""
        with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environ) as process:
            try:
                drain(kafka_bootstrap, topic, count=10, timeout_s=60)
                give_up = time.monotonic() + 60
                while not all(f'"camera": "{name}"' in log.read_text() for name in sources):
                    assert time.monotonic() < give_up, log.read_text()
                    shown += process_list()
                    time.sleep(0.2)
                for path in ("/metrics", "/readyz", "/healthz"):
                    shown += fetch(log.read_text(), path)[1]
                # A mistake in the file is told, too.
                file.write_text(file.read_text() + "fbs = 3\n")
                process.send_signal(signal.SIGHUP)
                while "stay as they are" not in log.read_text():
                    assert time.monotonic() < give_up, log.read_text()
                    time.sleep(0.1)
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()
    checked = run_cli(["cameras", "check", str(file), "--sheet", str(tmp_path / "sheet.png"), "--seconds", "0"])
    shown += log.read_text() + checked.stdout + checked.stderr
    reports = [each for each in drain(kafka_bootstrap, status) if b'"by-name"' in (each.value() or b"")]
    assert reports
    messages = [*drain(kafka_bootstrap, topic), *reports]
    shown += "\n".join(str((each.key(), each.headers())) for each in messages)
    shown += "\n".join((each.value() or b"").decode(errors="replace") for each in messages)
    assert "producers.sources.reader silent" in shown
    assert CANARY not in shown


def test_a_password_on_the_command_line_leaves_the_process_list(
    kafka_bootstrap: str, make_topic: MakeTopic, web: WebCameras
) -> None:
    topic = make_topic()
    address = f"http://admin:{CANARY}@127.0.0.1:{web.port}/good/yard"
    command = [sys.executable, "-m", "framelane", "produce", address, "--camera", "yard", "--no-status"]
    command += ["--topic", topic, "--bootstrap", kafka_bootstrap]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=cli_environ()) as process:
        try:
            drain(kafka_bootstrap, topic, count=5)
            shown = process_list()
            process.send_signal(signal.SIGINT)
            _, log = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert f"framelane produce http://***@127.0.0.1:{web.port}/good/yard --camera yard" in shown
    assert CANARY not in shown
    assert CANARY not in log.decode()


def test_an_address_can_come_by_the_environment(kafka_bootstrap: str, make_topic: MakeTopic, web: WebCameras) -> None:
    topic = make_topic()
    environ = {"FRAMELANE_SOURCE": f"http://admin:{CANARY}@127.0.0.1:{web.port}/good/yard"}
    where = ["--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"]
    done = run_cli(["produce", "--camera", "yard", "--count", "3", *where], environ=environ)
    assert done.returncode == 0, done.stderr
    assert "captured 3, produced 3" in done.stderr
    assert CANARY not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["rtsp://admin:{}@127.0.0.1:1/live", "--camera", "a"],
        ["rstp://admin:{}@127.0.0.1:1/live", "--camera", "a"],
        ["http://admin:{}@127.0.0.1:1/live", "--camera", "a"],
        ["http://admin:{}@[/live", "--camera", "a"],
        ["rtsp://admin:{}@127.0.0.1:1/live", "--camera", "a/b"],
        ["rtsp://admin:{}@127.0.0.1:1/live", "--camera", "a", "--password-env", "NOWHERE"],
        ["rtsp://admin:{}@127.0.0.1:1/live", "--camera", "a", "--size", "12"],
        ["rtsp://127.0.0.1:1/live", "--camera", "a", "--username-env", "HOME", "--password-env", "{}"],
        ["rtsp://admin:{}@127.0.0.1:1/live"],
        ["rtsp://admin:{}@127.0.0.1:1/live", "--cameras", "cameras.toml"],
        ["rtsp://admin:{}@127.0.0.1:1/live", "--camera", "a", "--decoder", "other"],
    ],
)
def test_no_error_shows_a_password(arguments: list[str]) -> None:
    filled = [argument.format(CANARY) for argument in arguments]
    done = run_cli(["produce", *filled, "--bootstrap", "127.0.0.1:1", "--wait", "0s", "--log-level", "debug"])
    assert done.returncode in (1, 2), done.stderr
    assert done.stderr
    assert CANARY not in done.stderr + done.stdout
