"""What tests of shadows need: files of settings, what is told of the shadow, and its process."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from kafka_support import run_cli
from worker_support import Topics, Worker


def put(path: Path, name: str, topics: Topics, *operators: str, **more: object) -> Path:
    """A file with one pipeline on these topics; it is replaced as a whole."""
    given: dict[str, object] = {"name": name, "group": f"framelane.{name}", "input": topics.raw}
    given |= {"output": topics.processed, "events": topics.events, "dead_letter": topics.dead_letter} | more
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(["[[pipeline]]", *lines, f"operators = [{', '.join(operators)}]", ""]))
    fresh.replace(path)
    return path


def shadows(bootstrap: str, name: str) -> list[dict[str, Any]]:
    """What `framelane status` tells of this pipeline's shadow."""
    done = run_cli(["status", "--json", "--bootstrap", bootstrap])
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    # It is nobody's worker, and no pipeline of its own.
    assert not [each for each in (*report["workers"], *report["pipelines"]) if f"{name}-shadow" in json.dumps(each)]
    return [each for each in report["shadows"] if each["pipeline"] == name]


def wait_for_shadow(
    bootstrap: str, name: str, reached: Callable[[dict[str, Any]], bool], *, timeout_s: float = 90
) -> dict[str, Any]:
    """Wait until what is told of the shadow is so, and return it."""
    give_up = time.monotonic() + timeout_s
    while not ((found := shadows(bootstrap, name)) and reached(found[0])):
        assert time.monotonic() < give_up, found
    return found[0]


def wait_for_both(worker: Worker, name: str) -> None:
    """From now on every frame is seen by both: the shadow's group has its place before it runs."""
    worker.wait_for_log(f"worker of pipeline {name}@")
    worker.wait_for_log(f"worker of pipeline {name}-shadow@")


def wait_for_count(worker: Worker, text: str, count: int, *, timeout_s: float = 90) -> None:
    """Wait until the worker and its children have logged this so often."""
    give_up = time.monotonic() + timeout_s
    while worker.log.read_text().count(text) < count:
        assert worker.process.poll() is None, worker.log.read_text()
        assert time.monotonic() < give_up, f"not {count} times {text!r} in {worker.log.read_text()}"
        time.sleep(0.05)


def process_of(worker: Worker, part: str) -> psutil.Process:
    """The one process that serves the worker's pipeline, or its shadow. part: live or shadow."""
    (found,) = [
        child
        for child in psutil.Process(worker.process.pid).children()
        if f"--part {part}" in " ".join(child.cmdline())
    ]
    return found


def runs(process: psutil.Process) -> bool:
    """Whether it does, and is none that only nobody has fetched the end of."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_for_end(*processes: psutil.Process, timeout_s: float) -> float:
    """Wait until none of them runs; how long that took, in seconds."""
    begun = time.monotonic()
    while any(map(runs, processes)):
        assert time.monotonic() - begun < timeout_s, processes
        time.sleep(0.05)
    return time.monotonic() - begun
