"""What is told of a dead Kafka's log."""

from pathlib import Path

from framelane.embedded.log_lines import cause, tail, useful_lines

TAKEN = """\
[2026-11-24T02:43:00,000] INFO Awaiting socket connections on 127.0.0.1:9092. (kafka.network.DataPlaneAcceptor)
[2026-11-24T02:43:00,001] ERROR Exiting Kafka due to fatal exception (kafka.Kafka$)
org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.
\tat kafka.network.Acceptor.openServerSocket(SocketServer.scala:734)
Caused by: java.net.BindException: Address already in use
\tat java.base/sun.nio.ch.Net.bind0(Native Method)
Caused by: java.net.BindException: Address already in use
[2026-11-24T02:43:00,002] INFO shutting down (kafka.server.BrokerServer)
"""


def test_errors_and_causes_are_told_once_without_stamps_and_frames() -> None:
    assert useful_lines(TAKEN) == [
        "Exiting Kafka due to fatal exception (kafka.Kafka$)",
        "org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:9092: "
        "Address already in use.",
        "Caused by: java.net.BindException: Address already in use",
    ]


def test_without_an_error_the_last_lines_are_told() -> None:
    assert useful_lines("one\n\tat x\ntwo\n\nthree\n", count=2) == ["two", "three"]


def test_what_is_known_is_told_in_plain_words() -> None:
    assert cause(TAKEN) == "its port was taken by another process in the meantime"
    assert cause("java.io.IOException: No space left on device") == "the disk is full"
    assert cause("all is well") == ""


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("x" * 1_000_000 + "the end")
    assert tail(log).endswith("the end")
    assert len(tail(log)) < 500_000
    assert tail(tmp_path / "none") == ""
