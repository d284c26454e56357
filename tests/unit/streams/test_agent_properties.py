"""The agent against a model of the topic, whatever happens in whatever order; and the model finds agents with a defect.

Real: the agent, its lanes, the outbox, the pipeline, the decisions of the pool. By hand: which task begins and ends
when, what the broker confirms or refuses when, and the group. However a run goes, what is committed has its answer,
outputs leave in order, every frame's sums close, and at the end nothing is stuck.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from streams.accounts import Accounts
from streams.agents import FrameAgent
from streams.contract.errors import FrameError
from streams.contract.headers import Record
from streams.lanes import Partition
from streams.outbox import FrameEntry
from streams.pipeline import Pipeline
from streams.pipeline_settings import quick_pipeline
from streams.pool import Task, ThreadPool
from streams.publisher import OutRecord, Receiver
from streams.settings import WorkerSettings

FAST = settings(
    derandomize=True, max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
JPEG = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
PARTITIONS = 2
# Which camera a frame is of, and what it shows. Nobody wants those of the third.
KINDS = [("a", JPEG), ("a", JPEG), ("b", JPEG), ("b", b"no image"), ("unwanted", JPEG)]
NUMBER = st.integers(0, 20)


class HandPool(ThreadPool):
    """The pool's decisions without its threads: tasks begin and end when they are told to."""

    def __init__(self, threads: int) -> None:
        self.running: list[Task[Any]] = []
        super().__init__(threads)

    def _start_thread(self) -> None:
        pass

    def begin(self) -> None:
        """The next task begins, if there is one."""
        while not self._tasks.empty():
            queued = self._tasks.get_nowait()
            task = self._take_up(queued) if queued is not None else None
            if task is not None:
                self.running.append(task)
                return

    def end(self, task: Task[Any]) -> None:
        """A running task comes to its end."""
        self.running.remove(task)
        task.result = task.work()
        self._end(task)


class AtOnce:
    """A mailbox that makes each call as it is posted."""

    def post(self, call: Callable[..., None], *args: Any, has_time: bool = False) -> None:
        """Make the call."""
        call(*args)


@dataclass
class Broker:
    """Takes records unless it is full, and confirms or refuses them when it is told to."""

    full: bool = False
    sent: list[tuple[OutRecord, Receiver]] = field(default_factory=list)
    # Inputs in the order of their first outputs, for each generation: (generation, partition, offset).
    outputs: list[tuple[int, int, int]] = field(default_factory=list)
    generation: int = 1
    answered: set[tuple[int, int]] = field(default_factory=set)
    held: set[Partition] = field(default_factory=set)

    def publish(self, record: OutRecord, receiver: Receiver) -> None:
        self.sent.append((record, receiver))
        if record.topic == "out":
            self.outputs.append((self.generation, *place_of(record)))

    def give_up(self, error: FrameError) -> None:
        raise AssertionError(error)

    def hold(self, partition: Partition) -> None:
        self.held.add(partition)

    def release(self, partition: Partition) -> None:
        self.held.discard(partition)


def place_of(record: OutRecord) -> tuple[int, int]:
    """(partition, offset) of what a record was made from."""
    headers = dict(record.headers)
    _, partition, offset = (headers.get("dl_input") or headers["ce_input"]).decode().split("/")
    return int(partition), int(offset)


class AgentModel(RuleBasedStateMachine):
    """One worker of a group, on a topic of two partitions that is always long enough."""

    agent_type: type[FrameAgent] = FrameAgent
    pool_type: type[HandPool] = HandPool
    op = "flip"

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.broker, self.pool, self.accounts = Broker(), self.pool_type(2), Accounts()
        worker = WorkerSettings(threads=2, lane_frames=6, max_hung=1000)
        self.pipelines = [self.pipeline(quality) for quality in (80, 81)]
        self.agent = self.agent_type(
            self.pipelines[0],
            worker,
            accounts=self.accounts,
            mailbox=AtOnce(),
            pool=self.pool,  # type: ignore[arg-type]
        )
        self.agent.outbox.publisher = self.agent.fetching = self.broker  # type: ignore[assignment]
        self.topic: list[list[tuple[str, bytes]]] = [[] for _ in range(PARTITIONS)]
        self.fetched = [0] * PARTITIONS
        self.committed = [0] * PARTITIONS

    def pipeline(self, quality: int) -> Pipeline:
        return Pipeline(quick_pipeline([self.op], input="raw", output="out", cameras=("a", "b"), quality=quality))

    def teardown(self) -> None:
        try:
            self.everything_comes_to_its_end()
        finally:
            self.loop.close()

    def take(self, partition: int, offset: int) -> None:
        camera, value = self.topic[partition][offset]
        record = Record("raw", partition, offset, 1000, camera.encode(), value, [])
        self.agent.take(record, generation=self.broker.generation)

    # -- what can happen

    @rule(partition=st.integers(0, PARTITIONS - 1), kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    def fetch(self, partition: int, kinds: list[tuple[str, bytes]]) -> None:
        for kind in kinds:
            if self.fetched[partition] == len(self.topic[partition]):
                self.topic[partition].append(kind)
            self.take(partition, self.fetched[partition])
            self.fetched[partition] += 1

    @rule(partition=st.integers(0, PARTITIONS - 1), back=st.integers(1, 4))
    def fetch_again(self, partition: int, back: int) -> None:
        offset = self.fetched[partition] - back
        if offset >= self.committed[partition]:
            self.take(partition, offset)

    @rule()
    def begin(self) -> None:
        self.pool.begin()

    @precondition(lambda self: self.pool.running)
    @rule(number=NUMBER)
    def end(self, number: int) -> None:
        self.pool.end(self.pool.running[number % len(self.pool.running)])

    @precondition(lambda self: self.pool.running)
    @rule(number=NUMBER)
    def stall(self, number: int) -> None:
        self.pool.relieve(self.pool.running[number % len(self.pool.running)])

    @precondition(lambda self: self.agent.dispatch.running)
    @rule(number=NUMBER)
    def time_out(self, number: int) -> None:
        begun = [entry for entry in self.agent.dispatch.running if entry.work.task and entry.work.task.started]
        if begun:
            entry = sorted(begun, key=lambda each: each.offset)[number % len(begun)]
            self.agent.dispatch.time_out(entry, entry.work.task, 5.0)  # type: ignore[arg-type]

    @precondition(lambda self: self.broker.sent)
    @rule(number=NUMBER)
    def confirm(self, number: int) -> None:
        record, receiver = self.broker.sent.pop(number % len(self.broker.sent))
        self.broker.answered.add(place_of(record))
        receiver.delivered()

    @precondition(lambda self: any(record.topic == "out" for record, _ in self.broker.sent))
    @rule(number=NUMBER)
    def refuse(self, number: int) -> None:
        outputs = [each for each in self.broker.sent if each[0].topic == "out"]
        refused = outputs[number % len(outputs)]
        self.broker.sent.remove(refused)
        refused[1].refused(FrameError("too large", reason="output_too_large", stage="publish"))

    @rule()
    def publisher_is_full(self) -> None:
        self.broker.full = True

    @precondition(lambda self: self.broker.full)
    @rule()
    def publisher_has_room(self) -> None:
        self.broker.full = False
        self.agent.room()

    @rule()
    def commit(self) -> None:
        for lane in self.agent.uncommitted():
            assert lane.position is not None
            partition = lane.partition.partition
            assert lane.position >= self.committed[partition], "the position went back"
            for offset in range(self.committed[partition], lane.position):
                camera, _ = self.topic[partition][offset]
                assert camera == "unwanted" or (partition, offset) in self.broker.answered, (
                    f"{partition}/{offset} is committed, and nobody has its answer"
                )
            self.committed[partition] = lane.committed = lane.position

    @rule(which=st.integers(0, 1))
    def reload(self, which: int) -> None:
        pipeline = self.pipelines[which]
        self.agent.swap(pipeline, pipeline.open())

    @rule(drained=st.booleans(), same_generation=st.booleans())
    def rebalance(self, drained: bool, same_generation: bool) -> None:
        if drained:
            self.loop.run_until_complete(self.agent.drain(0))
            self.commit()
        self.agent.kill_all()
        # Still in Faust's queue: it must not be taken, for its position would pass the gap.
        for partition in range(PARTITIONS):
            if self.fetched[partition] < len(self.topic[partition]):
                self.take(partition, self.fetched[partition])
        assert self.agent.in_flight == 0
        self.broker.generation += not same_generation
        if same_generation:
            # The lanes are new all the same: what they publish begins anew.
            self.broker.outputs.clear()
        self.agent.assigned()
        self.fetched = list(self.committed)

    # -- what has to hold

    @invariant()
    def outputs_leave_in_order(self) -> None:
        newest: dict[tuple[int, int], int] = {}
        for generation, partition, offset in self.broker.outputs:
            assert offset > newest.get((generation, partition), -1), "an output left out of order, or twice"
            newest[generation, partition] = offset

    @invariant()
    def the_sums_close(self) -> None:
        sums = self.accounts.snapshot(0).values()
        ended = sum(s.processed + s.filtered + s.stale + s.returned + sum(s.dead_lettered.values()) for s in sums)
        unsettled = sum(not entry.settled for lane in self.agent._lanes.values() for entry in lane._entries)
        assert sum(s.consumed for s in sums) == ended + unsettled

    def everything_comes_to_its_end(self) -> None:
        self.publisher_has_room()
        while not self.pool._tasks.empty() or self.pool.running or self.broker.sent:
            self.pool.begin()
            for task in list(self.pool.running):
                self.pool.end(task)
            while self.broker.sent:
                self.confirm(0)
        self.commit()
        assert self.agent.in_flight == 0, "a frame is stuck"
        assert self.committed == self.fetched, "a partition is stuck"
        assert self.broker.held == set(), "a partition is held for good"


class WithMemory(AgentModel):
    """A pipeline whose cameras have a memory: a frame waits for the one before it."""

    op = "trial_operators:InTurn"


class TakesBehindKilledLanes(FrameAgent):
    """Goes on with what was queued while the partitions are given up."""

    def kill_all(self, *, for_good: bool = False) -> None:
        super().kill_all(for_good=for_good)
        self.fenced = False


class ForgetsTheOthersTurn(FrameAgent):
    """Does not tell the camera's next frame that the one that hung is over."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        time_out = self.dispatch.time_out

        def forget(entry: FrameEntry, task: Any, timeout_s: float) -> None:
            over = entry.work.turns.over
            entry.work.turns.over = lambda *_, **__: None  # type: ignore[method-assign]
            time_out(entry, task, timeout_s)
            entry.work.turns.over = over  # type: ignore[method-assign]

        self.dispatch.time_out = forget  # type: ignore[method-assign]


class HoldsForGood(FrameAgent):
    """Never has a partition fetched again that was full."""

    def _after(self, lane: Any) -> None:
        pass


class CountsTwice(FrameAgent):
    """Counts frames of a partition that it has lost as done."""

    def _give_back(self, entry: FrameEntry) -> None:
        super()._give_back(entry)
        if entry.work.begun:
            self.accounts.filtered(entry.work.camera)


class ForgetsWhatIsSetAside(HandPool):
    """Does not go on with what waited for a task that ran for long."""

    def _end_relief(self, task: Task[Any]) -> None:
        if task.relieved:
            self._aside[task.group].clear()
            super()._end_relief(task)


class CommitsWhatItHasRead(FrameAgent):
    """Takes the position from what was taken in."""

    def uncommitted(self) -> list[Any]:
        for lane in self._lanes.values():
            lane.position = lane.next_offset
        return super().uncommitted()


@pytest.mark.parametrize("model", [AgentModel, WithMemory])
def test_an_agent_keeps_its_promises_in_any_order(model: type[AgentModel]) -> None:
    run_state_machine_as_test(model, settings=FAST)


@pytest.mark.parametrize(
    ("defect", "model"),
    [
        (TakesBehindKilledLanes, AgentModel),
        (ForgetsTheOthersTurn, WithMemory),
        (HoldsForGood, AgentModel),
        (CountsTwice, AgentModel),
        (CommitsWhatItHasRead, AgentModel),
        (ForgetsWhatIsSetAside, AgentModel),
    ],
)
def test_an_agent_with_a_defect_is_found_out(defect: type[object], model: type[AgentModel]) -> None:
    part = "pool_type" if issubclass(defect, ThreadPool) else "agent_type"
    with_defect = type("DefectModel", (model,), {part: defect})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(with_defect, settings=settings(FAST, max_examples=1000, phases=[Phase.generate]))
