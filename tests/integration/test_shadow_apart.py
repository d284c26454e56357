"""Whatever becomes of a shadow is no matter of what is live: it fails, hangs, is killed; and it outlives nobody."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

import psutil
import pytest
from confluent_kafka import Message
from kafka_support import drain, run_cli, unique
from shadow_support import process_of, put, runs, wait_for_both, wait_for_count, wait_for_end, wait_for_shadow
from worker_support import Fleet, Topics, Worker, findings, identity, make_topics, send

from streams.shadow_processes import STOP_S

MakeTopic = Callable[..., str]
HANGS = '{ op = "trial_operators:Misbehave", camera = "bad", how = "hang" }'


@pytest.fixture(autouse=True)
def reports(kafka_bootstrap: str) -> None:
    """Other tests may have made the topic that all report on."""
    assert run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap]).returncode == 0


@pytest.fixture
def topics(make_topic: MakeTopic) -> Topics:
    return make_topics(make_topic, partitions=2)


@pytest.fixture
def fleet(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(kafka_bootstrap, tmp_path, topics, status=True) as fleet:
        yield fleet


def rebalances(worker: Worker, name: str) -> float:
    """How often the live pipeline was given partitions."""
    for address in re.findall(r"metrics and probes on (http://[^\s/]+)/metrics", worker.log.read_text()):
        # That of a shadow which is gone answers nobody.
        with suppress(URLError):
            page = urllib.request.urlopen(f"{address}/metrics", timeout=10).read().decode()
            if found := re.search(rf'^framelane_rebalances_total\{{pipeline="{name}"\}} (\S+)$', page, re.M):
                return float(found[1])
    raise AssertionError(worker.log.read_text())


def numbers(messages: list[Message]) -> set[int]:
    return {identity(m)[2] for m in messages}


def reasons(messages: list[Message]) -> set[object]:
    return {dict(m.headers() or [])["dl_reason"] for m in messages}


def check_live(fleet: Fleet, worker: Worker, name: str, count: int) -> None:
    """Every frame once, in order, committed; and the group is as it was from the start."""
    fleet.group = f"framelane.{name}"
    outputs = drain(fleet.bootstrap, fleet.topics.processed, count=count, timeout_s=60)
    fleet.wait_for_commit({m.partition() or 0: (m.offset() or 0) + 1 for m in drain(fleet.bootstrap, fleet.topics.raw)})
    assert rebalances(worker, name) == 1
    found = findings(outputs, ["good"], count)
    assert (found.lost, found.repeated, found.out_of_order) == (0, 0, 0)
    assert len(drain(fleet.bootstrap, fleet.topics.processed)) == count
    assert drain(fleet.bootstrap, fleet.topics.dead_letter) == []
    assert f"worker of pipeline {name} ended" not in worker.log.read_text()


def stop_in_time(worker: Worker) -> None:
    """It ends when it is told to, as soon as what is live has ended or the shadow's time is over; nothing is left."""
    children = psutil.Process(worker.process.pid).children(recursive=True)
    assert worker.stop(STOP_S + 10) == 0, worker.log.read_text()
    assert children and not [child for child in children if runs(child)]


@pytest.mark.parametrize("how", ["raise", "hang"])
def test_a_shadow_that_fails_at_every_frame_does_no_harm(
    how: str, fleet: Fleet, topics: Topics, tmp_path: Path
) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }', frame_timeout_ms=1000)
    bad = f'{{ op = "trial_operators:Misbehave", camera = "good", how = "{how}" }}'
    new = put(tmp_path / "new.toml", name, topics, bad, frame_timeout_ms=100)
    worker = fleet.start_file(path, "--shadow", str(new), "--threads", "1")
    wait_for_both(worker, name)
    send(bootstrap, topics.raw, ["good"], 100)

    if how == "raise":
        figures = wait_for_shadow(bootstrap, name, lambda found: found["frames"] >= 100)
        assert (figures["frames"], figures["only_live"], figures["pictures"]) == (100, 100, 0)
        letters = drain(bootstrap, f"frames.shadow.{name}.dead-letter", count=100)
        assert reasons(letters) == {b"operator_error"}
    else:
        # Four threads hang, for there is one: only a new process gets rid of them.
        letters = drain(bootstrap, f"frames.shadow.{name}.dead-letter", count=1, timeout_s=60)
        assert reasons(letters) == {b"operator_timeout"}
        worker.wait_for_log(f"worker of pipeline {name}-shadow ended with 1; starting again")
    check_live(fleet, worker, name, 100)
    stop_in_time(worker)


def test_a_shadow_that_is_killed_comes_back_and_what_is_live_does_not_notice(
    fleet: Fleet, topics: Topics, tmp_path: Path
) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }')
    worker = fleet.start_file(path, "--shadow", str(path))
    wait_for_both(worker, name)
    live, beside = process_of(worker, "live"), process_of(worker, "shadow")
    # Where cores or memory are short, it is the one that goes without.
    assert beside.nice() == min(19, live.nice() + 10)
    scores = [int(Path(f"/proc/{each.pid}/oom_score_adj").read_text()) for each in (live, beside)]
    assert scores[0] < scores[1] == 1000
    send(bootstrap, topics.raw, ["good"], 50)

    beside.kill()
    send(bootstrap, topics.raw, ["good"], 50, first=50)
    worker.wait_for_log(f"worker of pipeline {name}-shadow ended with -9; starting again")
    check_live(fleet, worker, name, 100)
    wait_for_count(worker, f"worker of pipeline {name}-shadow@", 2)
    send(bootstrap, topics.raw, ["good"], 50, first=100)

    last = drain(
        bootstrap, f"frames.shadow.{name}", until=lambda all_: {*range(100, 150)} <= numbers(all_), timeout_s=60
    )
    assert {*range(100, 150)} <= numbers(last)
    assert live == process_of(worker, "live")
    check_live(fleet, worker, name, 150)
    stop_in_time(worker)


def test_a_hanging_shadow_is_told_of(fleet: Fleet, topics: Topics, tmp_path: Path) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }')
    new = put(tmp_path / "new.toml", name, topics, HANGS, frame_timeout_ms=1000)
    worker = fleet.start_file(path, "--shadow", str(new), "--threads", "2")
    wait_for_both(worker, name)
    send(bootstrap, topics.raw, ["bad"], 1)

    figures = wait_for_shadow(bootstrap, name, lambda found: found["only_live"] == 1)

    assert (figures["frames"], figures["state"]) == (1, "running")
    stop_in_time(worker)


@pytest.mark.parametrize("ends", ["asked", "killed"])
def test_a_shadow_with_a_frame_that_it_hangs_at_ends_with_the_worker(
    ends: str, fleet: Fleet, topics: Topics, tmp_path: Path
) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }')
    # It is not given up for ten minutes.
    new = put(tmp_path / "new.toml", name, topics, HANGS, frame_timeout_ms=600_000)
    worker = fleet.start_file(path, "--shadow", str(new), "--threads", "2")
    wait_for_both(worker, name)
    send(bootstrap, topics.raw, ["bad"], 1)
    wait_for_shadow(bootstrap, name, lambda found: found["lag"] == 1)

    if ends == "asked":
        stop_in_time(worker)
    else:
        children = psutil.Process(worker.process.pid).children(recursive=True)
        worker.kill()
        assert len(children) == 2
        # There is nobody left who would end it.
        wait_for_end(*children, timeout_s=STOP_S + 10)
