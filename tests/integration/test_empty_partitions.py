"""A partition with a backlog does not wait for those that have nothing."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from kafka_support import drain
from producer_support import noise
from worker_support import Fleet, cameras_on_each_partition, identity, make_topics, send

from streams.contract.images import encode

FRAMES = 800
# Ten fetches and more, each as large as a worker asks for: 4 MiB of a partition.
LARGE = encode(noise(320, 240, seed=1), "image/jpeg", quality=90)


def pauses(bootstrap: str, make_topic: Callable[..., str], folder: Path, *, variant: str) -> list[float]:
    """The pauses of a worker, in seconds, longest first, while it works off the backlog of one of four partitions."""
    topics = make_topics(make_topic)
    camera = cameras_on_each_partition(bootstrap, topics.raw, 4)[0]
    send(bootstrap, topics.raw, [camera], FRAMES, first=1, data=LARGE)
    with Fleet(bootstrap, folder, topics, variant=variant) as fleet:
        worker = fleet.start("--op", "trial_operators:Slow:ms=4", "--threads", "2")
        output = drain(bootstrap, topics.processed, count=4 * 12 + FRAMES, timeout_s=120)
        assert worker.stop() == 0, worker.log.read_text()
    # What lies on the other partitions is done in the first moments.
    ready = [int(dict(m.headers() or [])["ce_processedns"]) for m in output if identity(m)[0] == camera]
    return sorted(((later - earlier) / 1e9 for earlier, later in pairwise(sorted(ready))), reverse=True)


def test_a_backlog_does_not_wait_for_empty_partitions(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    found = pauses(kafka_bootstrap, make_topic, tmp_path, variant="mended")
    print(f"longest pauses: {[f'{pause:.3f}' for pause in found[:6]]} s")
    # A fetch that was sent before the lane was full lasts for 0.2 s, at the start and at the end.
    assert found[2] < 0.3


def test_with_the_fetches_of_aiokafka_it_does(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    found = pauses(kafka_bootstrap, make_topic, tmp_path, variant="long-fetches")
    print(f"longest pauses: {[f'{pause:.3f}' for pause in found[:6]]} s")
    assert found[2] >= 0.3
