"""The gateway with a real broker, a real worker, and clients as users of the old server have written them."""

import concurrent.futures
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Producer
from gateway_support import Client, Gateway, PipelineFile, number_of, numbered
from kafka_support import cli_environ, count_of, drain, run_cli, start_cli
from producer_support import noise

from streams.contract.images import encode, inspect

MakeTopic = Callable[..., str]
SUPPORT = Path(__file__).parents[1] / "support"
BLUR = '{ op = "blur", kernel = 5 }'


def test_a_twisted_client_gets_a_hundred_answers_in_its_order(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    for number in range(100):
        (source / f"{number:04d}.jpg").write_bytes(numbered(number))
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway:
        command = [sys.executable, str(SUPPORT / "twisted_client.py"), f"127.0.0.1:{gateway.port}", source, target]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True, env=cli_environ())
        assert gateway.stop() == 0
    assert done.stderr == b""
    assert [number_of(path.read_bytes()) for path in sorted(target.iterdir())] == list(range(100))
    # Not echoed: the blur is in them.
    assert (target / "0000").read_bytes() != (source / "0000.jpg").read_bytes()


def test_old_clients_get_no_more_than_they_take_in_the_format_that_they_sent(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway, Client(gateway.port) as client:
        for content_type in ("image/jpeg", "image/png", "image/webp"):
            data = encode(noise(640, 480, seed=1), content_type, quality=98)
            assert len(data) > 99_999
            answer = client.ask(data)
            assert 50_000 < len(answer) <= 99_999
            assert inspect(answer).content_type == content_type


def test_what_cannot_be_processed_is_an_empty_string_with_its_reason_in_log_and_dead_letters(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    half = numbered(7)[:-900]
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway, Client(gateway.port) as client:
        for data in (b"no image at all", b"", half, numbered(8)):
            client.send(data)
        assert [client.receive() for _ in range(3)] == [b"", b"", b""]
        assert number_of(client.receive()) == 8
        for reason in ("not_an_image", "empty", "undecodable"):
            gateway.wait_for(f"{reason} at ")
    letters = [dict(message.headers() or []) for message in drain(kafka_bootstrap, file.topics.dead_letter)]
    assert sorted(letter["dl_reason"] for letter in letters) == [b"empty", b"not_an_image", b"undecodable"]


def test_gateways_side_by_side_get_their_own_replies_and_one_that_goes_takes_no_other_with_it(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)

    def ask(port: int, first: int, got: list[int]) -> None:
        with Client(port) as client:
            for number in range(first, first + 60):
                got.append(number_of(client.ask(numbered(number))))

    one, two, three = (list[int]() for _ in range(3))
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker", "--name", "same") as first:
        with Gateway(kafka_bootstrap, file, tmp_path, "--name", "same") as second:
            threads = [
                threading.Thread(target=ask, args=each) for each in ((first.port, 0, one), (second.port, 500, two))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            second.process.kill()
        with Gateway(kafka_bootstrap, file, tmp_path, "--name", "same") as again:
            ask(again.port, 1000, three)
            ask(first.port, 0, one)
    assert one == [*range(60), *range(60)]
    assert two == list(range(500, 560))
    assert three == list(range(1000, 1060))
    # Sixteen cameras of one name, however many clients there were.
    cameras = {message.key() for message in drain(kafka_bootstrap, file.topics.raw)}
    assert cameras == {b"same-%d" % number for number in range(16)}


def test_workers_that_are_killed_with_sixteen_clients_leave_no_request_unanswered(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR, BLUR)
    work = [
        "work",
        "--pipelines",
        str(file.path),
        "--bootstrap",
        kafka_bootstrap,
        "--no-status",
        "--log-level",
        "warning",
    ]
    asked = 40
    slowest: list[float] = []

    def ask(client_number: int, port: int) -> list[int]:
        got = []
        with Client(port) as client:
            for number in range(client_number * asked, (client_number + 1) * asked):
                began = time.monotonic()
                answer = client.ask(numbered(number, size=(1280, 720)))
                slowest.append(time.monotonic() - began)
                assert answer, f"{number} has got no answer after {slowest[-1]:.1f} s"
                got.append(number_of(answer))
        return got

    with Gateway(kafka_bootstrap, file, tmp_path) as gateway, start_cli(work) as victim, start_cli(work) as heir:
        try:
            with concurrent.futures.ThreadPoolExecutor(16) as clients:
                found = [clients.submit(ask, number, gateway.port) for number in range(16)]
                # In the midst of it.
                while count_of(kafka_bootstrap, file.topics.processed) < 16 * asked // 4:
                    assert not any(each.done() for each in found), [each.exception() for each in found if each.done()]
                    time.sleep(0.02)
                os.kill(victim.pid, signal.SIGKILL)
                answers = [each.result(timeout=120) for each in found]
        finally:
            for worker in (victim, heir):
                worker.kill()
                worker.communicate()
    assert answers == [list(range(number * asked, (number + 1) * asked)) for number in range(16)]
    # The group waits 12 s for a worker that is gone.
    print(f"the slowest answer took {max(slowest):.1f} s")
    assert max(slowest) < 12 + 10


def test_bad_clients_take_no_memory_and_disturb_nobody(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    limits = ["--memory", "64MiB", "--max-reply", "0"]
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker", *limits) as gateway, ExitStack() as bad:
        with Client(gateway.port) as client:
            assert number_of(client.ask(numbered(0))) == 0
        gateway_process = psutil.Process(gateway.process.pid)
        before = gateway_process.memory_info().rss
        large = encode(noise(1280, 720, seed=1), quality=95)
        for number in range(700):
            other = bad.enter_context(Client(gateway.port))
            if number < 200:
                # 10 MiB each were announced, and 2 GiB in all.
                other.socket.sendall(struct.pack(">I", 10 * 2**20) + b"\xff\xd8\xff" * 20_000)
            elif number < 230:
                # It asks and asks, and never reads.
                other.socket.setblocking(False)
                with suppress(BlockingIOError):
                    for _ in range(50):
                        other.socket.send(struct.pack(">I", len(large)) + large)
        slowest = 0.0
        with Client(gateway.port) as client:
            for number in range(1, 101):
                began = time.monotonic()
                # One for which there is no room would be answered by an empty string.
                assert number_of(client.ask(numbered(number))) == number
                slowest = max(slowest, time.monotonic() - began)
        grown = (gateway_process.memory_info().rss - before) / 2**20
    print(f"700 bad clients: {grown:.0f} MiB more, the slowest answer of a good one {slowest:.2f} s")
    # What is in hand, and what sockets, tasks and the Kafka client need for it.
    assert grown < 64 + 100


def test_http_answers_with_images_and_problems(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway:
        url = f"http://127.0.0.1:{gateway.http_port}"
        picture = tmp_path / "in.jpg"
        picture.write_bytes(numbered(42))
        command = ["curl", "-sS", "--data-binary", f"@{picture}", "-D", "-", "-o", str(tmp_path / "out.jpg")]
        done = subprocess.run([*command, f"{url}/process"], capture_output=True, text=True, timeout=60, check=True)
        assert "200 OK" in done.stdout
        assert f"Framelane-Pipeline: {file.name}@" in done.stdout
        assert "process;dur=" in done.stdout
        assert number_of((tmp_path / "out.jpg").read_bytes()) == 42
        half = numbered(1)[:-900]
        for data, status, reason in ((b"GIF89a", 415, "not_an_image"), (half, 422, "undecodable")):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(urllib.request.Request(f"{url}/process", data=data), timeout=60)
            with caught.value as response:
                problem = json.load(response)
            assert (problem["status"], problem["reason"]) == (status, reason)
        with urllib.request.urlopen(f"{url}/openapi.json", timeout=10) as response:
            assert file.name in str(json.load(response))
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:
            text = response.read().decode()
        assert f'framelane_gateway_answers_total{{outcome="ok",pipeline="{file.name}",protocol="http"}} 1.0' in text


def test_without_a_worker_the_answer_is_empty_after_its_time(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    with Gateway(kafka_bootstrap, file, tmp_path, "--timeout", "500ms") as gateway, Client(gateway.port) as client:
        assert client.ask(numbered(1)) == b""
        assert "no worker of pipeline" in gateway.wait_for("no reply within 0.5 s")


def test_a_stop_answers_what_is_under_way(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    with Gateway(kafka_bootstrap, file, tmp_path, "--with-worker") as gateway, Client(gateway.port) as client:
        assert number_of(client.ask(numbered(0))) == 0
        for number in range(1, 20):
            client.send(numbered(number))
        assert number_of(client.receive()) == 1
        gateway.process.send_signal(signal.SIGINT)
        got = 1
        try:
            while True:
                got += 1
                assert number_of(client.receive()) == got
        except ConnectionError:
            pass
        assert gateway.process.wait(60) == 130
    # All that it had read; what still lay in the socket it had not.
    assert got > 2


def test_what_another_pipeline_makes_of_the_same_requests_is_no_answer(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    with Gateway(kafka_bootstrap, file, tmp_path) as gateway, Client(gateway.port) as client:
        client.send(numbered(5))
        (request,) = drain(kafka_bootstrap, file.topics.raw, count=1)
        key, headers = (
            request.key(),
            [(name, value) for name, value in request.headers() or [] if name != "ce_pipeline"],
        )
        producer = Producer({"bootstrap.servers": kafka_bootstrap, "partitioner": "murmur2_random"})
        letter = [("dl_reason", b"operator_error"), ("dl_pipeline", b"other@1"), ("dl_error", b"not ours")]
        producer.produce(file.topics.dead_letter, request.value(), key, headers=[*headers, *letter])
        producer.produce(file.topics.processed, numbered(6), key, headers=[*headers, ("ce_pipeline", b"other@1")])
        producer.flush(10)
        # What it must not take is there before what it must.
        ours = [*headers, ("ce_pipeline", f"{file.name}@1".encode())]
        producer.produce(file.topics.processed, numbered(7), key, headers=ours)
        producer.flush(10)
        assert number_of(client.receive()) == 7
        gateway.wait_for("its workers have other settings")


def test_a_port_that_is_taken_is_said(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    file = PipelineFile(make_topic, tmp_path, BLUR)
    with Gateway(kafka_bootstrap, file, tmp_path) as gateway:
        reach = ["--pipelines", str(file.path), "--bootstrap", kafka_bootstrap]
        done = run_cli(["gateway", *reach, "--port", str(gateway.port), "--http-port", "0"])
    assert done.returncode == 2
    assert f"--port: cannot listen on 127.0.0.1:{gateway.port}" in done.stderr
    assert "Traceback" not in done.stderr
