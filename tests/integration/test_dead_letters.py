"""Dead letters on a real Kafka: listed, shown, exported, and sent through again once what was wrong is mended."""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_support import count_of, drain, run_cli, start_cli
from worker_support import JPEG, Fleet, Topics, Worker, identity, make_topics, send

from consumers import subscribe
from consumers.bounded import BoundedRead
from consumers.dead_letters import DeadLetterRecord, LetterBook, LetterFilter
from streams.contract.dead_letters import MAX_BYTES, dead_letter
from streams.contract.errors import FrameError
from streams.contract.headers import Record
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record

MakeTopic = Callable[..., str]
BROKEN, MENDED = "trial_operators:Misbehave", "trial_operators:Misbehave:camera=nobody"


@pytest.fixture
def topics(make_topic: MakeTopic) -> Topics:
    return make_topics(make_topic)


def letters_cli(command: str, bootstrap: str, topic: str, *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run `framelane dead-letters COMMAND`; its stdout and stderr."""
    done = run_cli(["dead-letters", command, *arguments, "--topic", topic, "--bootstrap", bootstrap])
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


def letters_of(bootstrap: str, topic: str) -> list[DeadLetterRecord]:
    """The letters as they are now, the last to fail at the end."""
    book = LetterBook(topic, LetterFilter())
    with BoundedRead(KafkaSettings(bootstrap=bootstrap), topic) as read:
        for record in read.records():
            book.add(record)
    return book.newest()


def states(bootstrap: str, topic: str) -> Counter[str]:
    return Counter(each.state for each in letters_of(bootstrap, topic))


def letters_in(messages: Sequence[Message]) -> list[Message]:
    return [message for message in messages if "dl_reason" in dict(message.headers() or [])]


def until_marked(bootstrap: str, topic: str, count: int) -> None:
    """Wait for so many marks of workers."""

    def mended(messages: list[Message]) -> bool:
        return sum(dict(message.headers() or []).get("dl_mark") == b"mended" for message in messages) >= count

    drain(bootstrap, topic, until=mended)


def sums_of(worker: Worker, camera: str) -> str:
    """What a worker says of a camera at its end."""
    return next(line for line in worker.log.read_text().splitlines() if f"{camera}: consumed" in line)


def test_letters_are_mended_by_the_pipeline_that_failed_and_by_no_other(
    kafka_bootstrap: str, make_topic: MakeTopic, topics: Topics, tmp_path: Path
) -> None:
    dead = topics.dead_letter
    other_topics = Topics(topics.raw, *(make_topic(hint) for hint in ("other", "events", "dead")))
    send(kafka_bootstrap, topics.raw, ["good", "bad"], 4)
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "partitioner": "murmur2_random"})
    producer.produce(topics.raw, key=b"bad", value=JPEG, timestamp=int(time.time() * 1000) - 5000)
    producer.flush()
    bare = next(m for m in drain(kafka_bootstrap, topics.raw) if not m.headers())
    with (
        Fleet(kafka_bootstrap, tmp_path, topics) as fleet,
        Fleet(kafka_bootstrap, tmp_path / "other", other_topics) as others,
    ):
        (tmp_path / "other").mkdir()
        other = others.start("--op", "flip")
        worker = fleet.start("--op", BROKEN)
        drain(kafka_bootstrap, dead, count=5, timeout_s=60)
        assert worker.stop() == 0

        out, _ = letters_cli("list", kafka_bootstrap, dead, "--json", "--reason", "operator_error", "--camera", "b*")
        first, *_ = found = [json.loads(line) for line in out.splitlines()]
        assert [each["state"] for each in found] == ["open"] * 5
        assert {first[key] for key in ("reason", "camera_id", "stage")} == {"operator_error", "bad", f"0:{BROKEN}"}
        assert (first["operators"], first["attempt"], first["bytes"]) == (f"{BROKEN}/1", 1, len(JPEG))
        assert f"bad/@{topics.raw}-{bare.partition()}/{bare.offset()}" in {each["name"] for each in found}
        out, err = letters_cli("list", kafka_bootstrap, dead, "--limit", "2")
        assert len([line for line in out.splitlines() if "operator_error" in line]) == 3
        assert "\u2588" * 40 in out.splitlines()[-1]
        assert "5 dead letters" in err
        assert "--limit 0" in err
        out, _ = letters_cli("show", kafka_bootstrap, dead, str(first["id"]), "--to", str(tmp_path / "one.jpg"))
        assert "this operator always raises" in out
        assert "mend: mend the operator" in out
        assert (tmp_path / "one.jpg").read_bytes() == JPEG
        letters_cli("export", kafka_bootstrap, dead, str(tmp_path / "all"))
        assert len(list((tmp_path / "all").glob("*.jpg"))) == 5
        index = [json.loads(line) for line in (tmp_path / "all" / "index.jsonl").read_text().splitlines()]
        assert {(tmp_path / "all" / each["file"]).read_bytes() for each in index} == {JPEG}

        worker = fleet.start("--op", MENDED)
        out, err = letters_cli("redrive", kafka_bootstrap, dead)
        assert "5 dead letters sent; 0 refused" in err
        until_marked(kafka_bootstrap, dead, 5)
        assert states(kafka_bootstrap, dead) == {"mended": 5}
        out, err = letters_cli("redrive", kafka_bootstrap, dead)
        assert (out, "0 dead letters sent; 0 refused; 5 skipped" in err) == ("", True)

        raw = drain(kafka_bootstrap, topics.raw)
        ends = {m.partition() or 0: (m.offset() or 0) + 1 for m in raw}
        others.wait_for_commit(ends)
        assert worker.stop() == 0
        assert other.stop() == 0
    outputs = drain(kafka_bootstrap, topics.processed)
    assert sorted(map(identity, outputs)) == sorted(set(map(identity, outputs)))
    assert len(outputs) == 9
    assert len(drain(kafka_bootstrap, other_topics.processed)) == 9
    assert letters_in(drain(kafka_bootstrap, other_topics.dead_letter)) == []
    assert "consumed 5, processed 5, filtered 0, stale 0, dead-lettered 0, returned 0, gaps 0" in sums_of(worker, "bad")
    assert "processed 5, filtered 5, stale 0, dead-lettered 0, returned 0, gaps 0" in sums_of(other, "bad")
    # Where each lay before, and with the time of its capture.
    again = [m for m in raw if "dl_letter" in dict(m.headers() or [])]
    assert {m.partition() for m in again} == {bare.partition()}
    captured = {int(dict(m.headers() or [])["ce_capturedns"]) for m in outputs if "@" in identity(m)[1]}
    assert captured == {bare.timestamp()[1] * 1_000_000}


def test_what_fails_again_is_given_up_after_three_attempts(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    dead = topics.dead_letter
    send(kafka_bootstrap, topics.raw, ["bad"], 1)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", BROKEN, "--max-age", "1h")
        for attempt in (1, 2, 3):
            drain(kafka_bootstrap, dead, until=lambda found, n=attempt: len(letters_in(found)) == n, timeout_s=60)  # type: ignore[misc]
            found = letters_of(kafka_bootstrap, dead)
            assert [each.attempt for each in found] == list(range(1, attempt + 1))
            assert [each.state for each in found] == ["failed_again"] * (attempt - 1) + ["open"]
            if attempt < 3:
                letters_cli("redrive", kafka_bootstrap, dead)
        out, err = letters_cli("redrive", kafka_bootstrap, dead, "--again", code=1)
        assert worker.stop() == 0
    assert "refused: attempt 3 has failed, and --max-attempts is 3" in out
    assert "0 dead letters sent; 1 refused (too many attempts 1)" in err
    assert found[1].letter == f"{dead}/{found[0].id}"
    assert "dead-lettered 3, operator_error 3" in sums_of(worker, "bad")


def test_a_picture_too_large_for_a_letter_is_fetched_from_where_it_lay(
    kafka_bootstrap: str, make_topic: MakeTopic, topics: Topics, tmp_path: Path
) -> None:
    dead = make_topic("dead", max_bytes=4096)
    topics = Topics(topics.raw, topics.processed, topics.events, dead)
    send(kafka_bootstrap, topics.raw, ["bad"], 2)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", BROKEN)
        drain(kafka_bootstrap, dead, count=2, timeout_s=60)
        assert worker.stop() == 0
        assert [(each.bytes, each.reason) for each in letters_of(kafka_bootstrap, dead)] == [(0, "operator_error")] * 2
        letters_cli("show", kafka_bootstrap, dead, "bad/e1/0", "--to", str(tmp_path / "one.jpg"))
        assert (tmp_path / "one.jpg").read_bytes() == JPEG
        # The first one is deleted, as retention would do it.
        lay = drain(kafka_bootstrap, topics.raw)[0]
        place = TopicPartition(topics.raw, lay.partition() or 0, 1)
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        admin.delete_records([place])[place].result()
        worker = fleet.start("--op", MENDED)
        out, err = letters_cli("redrive", kafka_bootstrap, dead, code=1)
        assert f"{topics.raw}/{lay.partition()}/0 is not retained" in out
        assert "1 dead letter sent; 1 refused (picture gone 1)" in err
        output = drain(kafka_bootstrap, topics.processed, count=1)[0]
        assert identity(output) == ("bad", "e1", 1)
        assert worker.stop() == 0


def make_letter(
    bootstrap: str, topic: str, record: Record, *, pipeline: str = "privacy@1f3a", max_bytes: int = MAX_BYTES
) -> None:
    """Write the dead letter of a record, as a worker does."""
    error = FrameError("it raised", reason="operator_error" if record.value else "empty", stage="0:blur")
    letter = dead_letter(record, error, pipeline=pipeline, failed_ns=time.time_ns(), max_bytes=max_bytes)
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
    producer.produce(topic, letter.value, letter.key, headers=letter.headers, timestamp=letter.timestamp_ms)
    assert producer.flush(30) == 0


def test_what_cannot_be_sent_again_is_refused_with_the_reason(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    raw, dead = make_topic("raw", partitions=1), make_topic("dead", partitions=1)
    now_ms = int(time.time() * 1000)
    again = [("dl_pipeline", b"privacy"), ("dl_attempt", b"forged"), ("dl_letter", b"x")]
    for record in (
        Record("gone", 0, 1, now_ms, b"gate-1", JPEG, ()),
        Record(raw, 7, 1, now_ms, b"gate-1", JPEG, ()),
        Record(raw, 0, 1, now_ms, b"no camera", JPEG, ()),
        Record(raw, 0, 2, now_ms, b"gate-1", b"", ()),
        Record(raw, 0, 3, now_ms, b"gate-1", JPEG, again),
    ):
        make_letter(kafka_bootstrap, dead, record)
    # Its picture was too large for the letter, and its topic was made again: another frame lies there now.
    too_large = Record(raw, 0, 0, now_ms, b"gate-1", JPEG, [("ce_id", b"gate-1/e/1")])
    make_letter(kafka_bootstrap, dead, too_large, max_bytes=0)
    send(kafka_bootstrap, raw, ["gate-1"], 1)
    out, err = letters_cli("redrive", kafka_bootstrap, dead, "--json", code=1)
    whys = [json.loads(line)["why"] for line in out.splitlines()]
    assert [why.split(",")[0] for why in whys] == [
        "its topic gone does not exist any more",
        f"topic {raw} has no partition 7 any more",
        "its key is no camera id",
        "the frame came empty",
        "attempt 100 has failed",
        "the picture was too large for a dead letter",
    ]
    kinds = "empty 1, no camera 1, partition gone 1, picture gone 1, too many attempts 1, topic gone 1"
    assert f"0 dead letters sent; 6 refused ({kinds})" in err
    assert count_of(kafka_bootstrap, raw) == 1
    make_letter(kafka_bootstrap, dead, Record(raw, 0, 0, now_ms, b"gate-1", JPEG, ()))
    # What is refused does not use up the limit.
    _, err = letters_cli("redrive", kafka_bootstrap, dead, "--limit", "1", code=1)
    assert "1 dead letter sent; 6 refused" in err


def test_above_a_hundred_letters_somebody_has_to_say_yes(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    raw, dead = make_topic("raw", partitions=1), make_topic("dead", partitions=1)
    for offset in range(101):
        make_letter(kafka_bootstrap, dead, Record(raw, 0, offset, 1000, b"gate-1", b"x", ()))
    _, err = letters_cli("redrive", kafka_bootstrap, dead, code=2)
    assert "101 letters are to be redriven: --yes" in err
    assert count_of(kafka_bootstrap, raw) == 0
    out, _ = letters_cli("redrive", kafka_bootstrap, dead, "--dry-run")
    assert out.count("would be sent") == 101
    assert count_of(kafka_bootstrap, raw) == 0
    letters_cli("redrive", kafka_bootstrap, dead, "--limit", "3")
    assert count_of(kafka_bootstrap, raw) == 3
    reach = ["--topic", dead, "--bootstrap", kafka_bootstrap]
    # As with `| head`: who reads the lines goes, and whatever was sent is marked all the same.
    with start_cli(["dead-letters", "redrive", "--yes", *reach]) as command:
        assert command.stdout is not None and command.stderr is not None
        command.stdout.close()
        err = command.stderr.read().decode()
    sent = count_of(kafka_bootstrap, raw)
    assert command.returncode == 0, err
    assert f"{sent - 3} dead letters sent; 0 refused; 3 skipped as redriven before" in err
    assert 3 < sent == states(kafka_bootstrap, dead)["redriven"]


def test_a_kill_before_the_mark_has_the_letter_sent_again_and_a_subscriber_gets_it_once(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    dead, reach = topics.dead_letter, ["--topic", topics.dead_letter, "--bootstrap", kafka_bootstrap]
    send(kafka_bootstrap, topics.raw, ["bad"], 1)
    (lies,) = drain(kafka_bootstrap, topics.raw)
    # The client holds back each record for so long: first the frame, and then its mark.
    slow = tmp_path / "slow.toml"
    slow.write_text('[kafka.librdkafka]\n"linger.ms" = 2000\n"batch.num.messages" = 100\n')
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        make_letter(kafka_bootstrap, dead, to_record(lies), pipeline=f"{fleet.group}@1f3a")
        with start_cli(["dead-letters", "redrive", *reach, "--config", str(slow)]) as killed:
            drain(kafka_bootstrap, topics.raw, count=2)
            killed.send_signal(signal.SIGKILL)
        assert killed.returncode == -signal.SIGKILL
        assert states(kafka_bootstrap, dead) == {"open": 1}
        letters_cli("redrive", kafka_bootstrap, dead)
        assert states(kafka_bootstrap, dead) == {"redriven": 1}
        worker = fleet.start("--op", MENDED)
        until_marked(kafka_bootstrap, dead, 2)
        assert states(kafka_bootstrap, dead) == {"mended": 1}
        assert worker.stop() == 0
    outputs = drain(kafka_bootstrap, topics.processed)
    assert [identity(message) for message in outputs] == [("bad", "e1", 0)] * 3
    frames = list(subscribe(topics.processed, bootstrap=kafka_bootstrap, since="-1h", until="now"))
    assert [frame.name for frame in frames] == ["bad/e1/0"]
