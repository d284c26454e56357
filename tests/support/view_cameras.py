"""Cameras and a worker for the live view to show: synthetic ones, in one process, that go through a real pipeline."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kafka_support import create_topic, run_cli, start_cli, unique
from worker_support import Fleet, Topics


@contextmanager
def running_cameras(bootstrap: str, folder: Path, cameras: Mapping[str, str], *operators: str) -> Iterator[Topics]:
    """Cameras (id: source) and a worker with these operators, on topics of their own; frames.status is made too."""
    topics = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    for topic in (topics.raw, topics.processed, topics.events, topics.dead_letter):
        create_topic(bootstrap, topic, partitions=4, config={})
    created = run_cli(["topics", "create", "frames.status", "--bootstrap", bootstrap])
    assert created.returncode == 0, created.stderr
    file = folder / "cameras.toml"
    file.write_text("\n".join(f'[[camera]]\nid = "{name}"\nsource = "{source}"' for name, source in cameras.items()))
    with Fleet(bootstrap, folder, topics, status=True) as fleet:
        fleet.start(*(part for operator in operators for part in ("--op", operator)))
        command = ["produce", "--cameras", str(file), "--topic", topics.raw, "--bootstrap", bootstrap]
        with start_cli([*command, "--log-level", "error"]) as producer:
            try:
                yield topics
            finally:
                producer.kill()
