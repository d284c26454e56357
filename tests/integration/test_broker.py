"""`framelane broker`, as a user runs it."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Producer
from kafka_support import cli_environ, create_topic, drain, read_lines, run_cli, start_cli
from process_support import java_of, java_that_formats, wait_empty, wait_gone


def start_broker(*arguments: str) -> "tuple[subprocess.Popen[bytes], str]":
    process = start_cli(["broker", *arguments])
    try:
        return process, read_lines(process, 1, timeout_s=90)[0]
    except BaseException:
        process.terminate()
        process.communicate()
        raise


def end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert output == b"", "stdout has the address and nothing else"
    return process.returncode, errors.decode()


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    process, bootstrap = start_broker("--data", str(tmp_path / "kafka"))
    with process:
        java = java_of(process.pid)
        create_topic(bootstrap, "kept", partitions=1, config={})
        producer = Producer({"bootstrap.servers": bootstrap})
        producer.produce("kept", key="gate-1", value=b"frame")
        assert producer.flush(10) == 0
        del producer
        code, errors = end(process, signal.SIGINT)
    assert code == 130
    assert "is ready" in errors and "Traceback" not in errors
    wait_gone(java)

    process, bootstrap = start_broker("--data", str(tmp_path / "kafka"))
    with process:
        assert [message.value() for message in drain(bootstrap, "kept")] == [b"frame"]
        assert end(process, signal.SIGTERM)[0] == 0


def test_a_temporary_folder_goes_and_so_does_java_when_the_parent_is_killed() -> None:
    process, _ = start_broker()
    with process:
        java = java_of(process.pid)
        launcher = java.parent()
        assert launcher is not None
        folder = Path(java.cmdline()[-1]).parent.parent
        assert folder.name.startswith("framelane-kafka-") and folder.is_dir()
        process.kill()
        process.communicate()
    wait_gone(java, launcher)
    assert not folder.exists()


def test_java_goes_with_its_launcher_too() -> None:
    process, _ = start_broker()
    with process:
        java = java_of(process.pid)
        launcher = java.parent()
        assert launcher is not None
        launcher.kill()
        wait_gone(java)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "framelane: Kafka died" in errors.decode()


def test_kafka_that_dies_by_itself_ends_the_command_with_its_last_words() -> None:
    process, _ = start_broker()
    with process:
        java_of(process.pid).kill()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "framelane: Kafka died" in errors.decode()
    assert "server.log ends with" in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize("nodes", ["1", "3"])
def test_a_start_that_is_killed_while_it_formats_leaves_nothing(tmp_path: Path, nodes: str) -> None:
    with start_cli(["broker", "--nodes", nodes], environ={"TMPDIR": str(tmp_path)}) as process:
        java = java_that_formats(process.pid)
        assert len(list(tmp_path.iterdir())) == 1
        process.kill()
        process.communicate()
    wait_gone(java)
    wait_empty(tmp_path)


def test_what_is_fetched_is_told_in_a_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    result = run_cli(["broker"], environ={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert result.returncode == 1
    told, failed = result.stderr.splitlines()
    assert told.startswith("fetching Apache Kafka 4.3.0 and its libraries (42 MB, once; kept in ")
    assert failed.startswith("framelane: cannot fetch Apache Kafka 4.3.0 into ")


def test_nohup_keeps_it_alive() -> None:
    command = f"exec {sys.executable} -m framelane broker"
    shell = subprocess.Popen(
        ["sh", "-c", f"trap '' HUP; {command}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_environ()
    )
    with shell as process:
        bootstrap = read_lines(process, 1, timeout_s=90)[0]
        process.send_signal(signal.SIGHUP)
        create_topic(bootstrap, "after", partitions=1, config={})
        assert process.poll() is None
        assert end(process, signal.SIGTERM)[0] == 0


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run_cli(["broker", "--port", str(port)])
    assert result.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in result.stderr
    assert result.stdout == ""


def test_the_port_and_the_log_are_where_they_were_asked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process, bootstrap = start_broker("--port", str(port), "--data", str(tmp_path))
    with process:
        assert bootstrap == f"127.0.0.1:{port}"
        assert "Kafka version: 4.3.0" in (tmp_path / "node-1" / "server.log").read_text()
        listening = [c for c in java_of(process.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1", "::ffff:127.0.0.1"}
        used = run_cli(["broker", "--data", str(tmp_path)])
        assert used.returncode == 1
        assert "an embedded Kafka that runs is using it" in used.stderr
        assert end(process, signal.SIGTERM)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--nodes", "2"], 2, "nodes = 2: expected 1, or 3"),
        (["--nodes", "0"], 2, "nodes = 0: expected 1, or 3"),
        (["--port", "70000"], 2, "port 70000: expected 0"),
        (["--data", "/dev/null/kafka"], 1, "/dev/null/kafka: cannot keep Kafka's data there"),
    ],
)
def test_bad_input_is_told_without_a_traceback(arguments: list[str], code: int, message: str) -> None:
    result = run_cli(["broker", *arguments])
    assert (result.returncode, result.stdout) == (code, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
