"""Which frames are taken for stalled: those that run for much longer than is usual."""

import threading
from queue import SimpleQueue
from typing import Any

import pytest

from streams.pool import Task, ThreadPool
from streams.stalls import STALL_S, TIMES_USUAL, Stalls

WAIT_S = 10


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


def running_task(pool: ThreadPool, gate: threading.Event) -> Task[Any]:
    begun: SimpleQueue[int] = SimpleQueue()
    task: Task[Any] = Task(lambda: begun.put(1) or gate.wait(WAIT_S), lambda task: None)  # type: ignore[func-returns-value]
    pool.submit(task)
    begun.get(timeout=WAIT_S)
    return task


def test_a_task_is_relieved_after_a_while(gate: threading.Event) -> None:
    pool = ThreadPool(1)
    stalls, task = Stalls(pool, limit=4), running_task(pool, gate)
    stalls.overdue(task, task.started + STALL_S * 0.9, timeout_s=9)
    assert pool.relieved == 0
    stalls.overdue(task, task.started + STALL_S * 1.1, timeout_s=9)
    assert pool.relieved == 1
    gate.set()
    pool.close()


def test_an_operator_that_is_always_slow_does_not_stall(gate: threading.Event) -> None:
    pool = ThreadPool(1)
    stalls, task = Stalls(pool, limit=4), running_task(pool, gate)
    for _ in range(100):
        stalls.ended(task, task.started + 1.0)
    stalls.overdue(task, task.started + TIMES_USUAL * 0.9, timeout_s=9)
    assert pool.relieved == 0
    stalls.overdue(task, task.started + TIMES_USUAL * 1.1, timeout_s=9)
    assert pool.relieved == 1
    gate.set()
    pool.close()


def test_a_task_is_overdue_past_its_deadline(gate: threading.Event) -> None:
    pool = ThreadPool(1)
    stalls, task = Stalls(pool, limit=4), running_task(pool, gate)
    assert not stalls.overdue(task, task.started + 1.9, timeout_s=2)
    assert stalls.overdue(task, task.started + 2.1, timeout_s=2)
    gate.set()
    pool.close()


def test_no_more_are_relieved_than_the_limit_says(gate: threading.Event) -> None:
    pool = ThreadPool(3)
    stalls, tasks = Stalls(pool, limit=2), [running_task(pool, gate) for _ in range(3)]
    for task in tasks:
        stalls.overdue(task, task.started + 1.0, timeout_s=9)
    assert pool.relieved == 2
    gate.set()
    pool.close()
