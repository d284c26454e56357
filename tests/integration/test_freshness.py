"""Offered twice what it can do: `freshest` stays on time, and `every_frame`, in another group, loses nothing."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Message
from kafka_support import drain
from worker_support import Fleet, Topics, cameras_on_each_partition, findings, identity, make_topics, send

FPS = 25
SECONDS = 6
PIPELINES = """
[[pipeline]]
name = "{label}"
group = "{name}-{raw}"
input = "{raw}"
output = "{output}"
events = "{events}"
dead_letter = "{dead}"
freshness = "{name}"
operators = [{{ op = "trial_operators:Slow", ms = 40 }}]
"""


def pipelines(folder: Path, topics: Topics, freshness: str, output: str) -> Path:
    file = folder / f"{freshness}.toml"
    label = freshness.replace("_", "-")
    text = PIPELINES.format(
        name=freshness, label=label, raw=topics.raw, output=output, events=topics.events, dead=topics.dead_letter
    )
    file.write_text(text)
    return file


def ages_ms(messages: list[Message]) -> list[float]:
    headers = [dict(message.headers() or []) for message in messages]
    return sorted((int(each["ce_processedns"]) - int(each["ce_capturedns"])) / 1e6 for each in headers)


def test_two_groups_on_one_topic_each_as_its_users_need_it(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    freshest_output = make_topic("freshest")
    cameras = cameras_on_each_partition(kafka_bootstrap, topics.raw, 4)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        # Two frames at once, 40 ms each: 50 a second, or half of what the four cameras send.
        freshest = fleet.start_file(pipelines(tmp_path, topics, "freshest", freshest_output), "--threads", "2")
        every = fleet.start_file(pipelines(tmp_path, topics, "every_frame", topics.processed), "--threads", "2")
        for output in (freshest_output, topics.processed):
            drain(kafka_bootstrap, output, until=lambda messages: len(messages) >= 20, timeout_s=90)
        begin = time.monotonic()
        for sequence in range(1, FPS * SECONDS + 1):
            time.sleep(max(0.0, begin + sequence / FPS - time.monotonic()))
            send(kafka_bootstrap, topics.raw, cameras, 1, first=sequence)
        # Only every_frame has to catch up.
        last = FPS * SECONDS
        everything = drain(
            kafka_bootstrap, topics.processed, until=lambda found: count_of(found, last) == 4, timeout_s=90
        )
        assert freshest.stop() == 0
        assert every.stop() == 0
    newest = [m for m in drain(kafka_bootstrap, freshest_output) if identity(m)[2] > FPS]
    ages = ages_ms(newest)
    stale = sum(int(number) for number in re.findall(r"stale (\d+)", freshest.log.read_text()))
    print(f"freshest: {len(newest)} published, {stale} stale, p50 {ages[len(ages) // 2]:.0f} ms, max {ages[-1]:.0f} ms")
    print(f"every_frame: max {ages_ms(everything)[-1]:.0f} ms")
    # However fast the machine is: the other one is seconds behind by the end.
    assert ages[len(ages) * 99 // 100] < ages_ms(everything)[-1] / 4
    assert stale > 4 * FPS
    assert all(count_of([m for m in newest if identity(m)[0] == camera], last) == 1 for camera in cameras)
    found = findings(everything, cameras, last + 1)
    assert (found.lost, found.out_of_order) == (0, 0)
    assert "stale 0" in every.log.read_text()
    # It was overloaded indeed: else the first figure proves nothing.
    assert ages_ms(everything)[-1] > 1000


def count_of(messages: list[Message], sequence: int) -> int:
    return sum(identity(message)[2] == sequence for message in messages)
