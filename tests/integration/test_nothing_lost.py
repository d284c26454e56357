"""A worker is killed in mid-frame: nothing is lost, every camera stays in order; and the test can fail."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Message
from kafka_support import drain
from worker_support import Findings, Fleet, Worker, cameras_on_each_partition, findings, input_of, make_topics, send

FRAMES = 250  # of each of four cameras
SLOW = ["--op", "trial_operators:Slow:ms=10", "--threads", "2"]


class Kill:
    """One run: four cameras, two workers, a thousand frames, and a SIGKILL at a random moment."""

    def __init__(
        self, bootstrap: str, make_topic: Callable[..., str], folder: Path, *, seed: int, variant: str
    ) -> None:
        self.random = random.Random(seed)
        self.committed: dict[int, int] = {}
        topics = make_topics(make_topic)
        cameras = cameras_on_each_partition(bootstrap, topics.raw, 4)
        with Fleet(bootstrap, folder, topics, variant=variant) as fleet:
            victim, other = fleet.start(*SLOW), fleet.start(*SLOW)
            members = fleet.wait_for_members(2)
            if self.random.random() < 0.5:
                victim, other = other, victim
            send(bootstrap, topics.raw, cameras, FRAMES, first=1)
            at_kill = self.kill(fleet, victim, members[victim.name])
            self.position = {p: max(o for q, o in at_kill if q == p) + 1 for p in {p for p, _ in at_kill}}
            self.victims_partitions = members[victim.name]
            everything = 4 * 12 + 4 * FRAMES
            ends = {
                p: max(o for q, o in self.raw_places(bootstrap, topics.raw, everything) if q == p) + 1 for p in range(4)
            }
            fleet.wait_for_commit(ends)
            output = drain(bootstrap, topics.processed)
            assert other.stop() == 0, other.log.read_text()
        self.findings: Findings = findings(output, cameras, FRAMES + 1)

    def kill(self, fleet: Fleet, victim: Worker, partitions: set[int]) -> set[tuple[int, int]]:
        """Kill the victim at a random point in the middle where that matters; what the output had by then.

        That is where the victim is ahead of its commit; or, with one that acks too early, where its commit is ahead.
        The victim is stopped while that is looked up, for a commit may be on its way.
        """
        enough = self.random.randint(250, 500)
        early = fleet.variant == "ack-at-once"
        seen: set[tuple[int, int]] = set()

        def reached(messages: list[Message]) -> bool:
            seen.update(input_of(message) for message in messages[len(seen) :])
            if len(seen) < enough:
                return False
            victim.process.send_signal(signal.SIGSTOP)
            # What it has sent the broker still takes; that it is done with it nobody tells.
            time.sleep(0.3)
            committed = self.committed = fleet.committed()
            position = {p: max(o for q, o in seen if q == p) + 1 for p in {p for p, _ in seen} & partitions}
            if any((committed.get(p, 0) > at) if early else (committed.get(p, 0) < at) for p, at in position.items()):
                victim.kill()
                return True
            victim.process.send_signal(signal.SIGCONT)
            return False

        drain(fleet.bootstrap, fleet.topics.processed, until=reached, timeout_s=60)
        return seen

    def raw_places(self, bootstrap: str, topic: str, count: int) -> list[tuple[int, int]]:
        return [(m.partition() or 0, m.offset() or 0) for m in drain(bootstrap, topic, count=count)]


def test_nothing_is_lost_when_a_worker_is_killed(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    repeated = 0
    for seed in (1, 2, 3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        run = Kill(kafka_bootstrap, make_topic, folder, seed=seed, variant="mended")
        print(f"seed {seed}: {run.findings}, position {run.position}, committed {run.committed}")
        assert run.findings.lost == 0
        assert run.findings.out_of_order == 0
        repeated += run.findings.repeated
        # The kill came at a moment that matters: there were frames that a worker which acks too early would lose.
        assert any(run.position.get(p, 0) > run.committed.get(p, 0) for p in run.victims_partitions)
    # Nothing was repeated in three kills? Then they hit nothing, and the figures above prove nothing.
    assert repeated > 0


def test_the_same_kill_is_caught_with_a_worker_that_acks_at_once(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    run = Kill(kafka_bootstrap, make_topic, tmp_path, seed=1, variant="ack-at-once")
    assert run.findings.lost > 0
