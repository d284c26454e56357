"""The pool: work is done, errors are handed back, and a hung thread is replaced."""

import threading
from queue import SimpleQueue

import pytest

from streams.pool import Task, ThreadPool

WAIT_S = 10


@pytest.fixture
def done() -> "SimpleQueue[Task[int]]":
    return SimpleQueue()


def test_results_and_errors_are_handed_back(done: "SimpleQueue[Task[int]]") -> None:
    pool = ThreadPool(1)
    pool.submit(Task(lambda: 42, done.put))
    pool.submit(Task(lambda: 1 // 0, done.put))

    assert done.get(timeout=WAIT_S).result == 42
    assert isinstance(done.get(timeout=WAIT_S).error, ZeroDivisionError)
    pool.close()


def test_a_cancelled_task_is_not_run(done: "SimpleQueue[Task[int]]") -> None:
    pool, gate, ran = ThreadPool(1), threading.Event(), []
    pool.submit(Task(lambda: gate.wait(WAIT_S), lambda task: None))
    task = Task(lambda: ran.append(1), lambda task: None)
    pool.submit(task)
    task.cancelled = True
    pool.submit(Task(lambda: 1, done.put))
    gate.set()

    done.get(timeout=WAIT_S)
    assert ran == []
    pool.close()


def test_a_superseded_task_gives_its_place_in_the_queue_to_its_successor(done: "SimpleQueue[Task[int]]") -> None:
    pool, gate = ThreadPool(1), threading.Event()
    pool.submit(Task(lambda: gate.wait(WAIT_S), lambda task: None))
    tasks = [Task(lambda number=number: number, done.put) for number in range(4)]  # type: ignore[misc]
    pool.submit(tasks[0])
    pool.submit(tasks[1])
    assert pool.supersede(tasks[0], tasks[2])
    assert pool.supersede(tasks[2], tasks[3])
    gate.set()

    assert [done.get(timeout=WAIT_S).result for _ in range(2)] == [3, 1]
    pool.close()


def test_what_is_begun_or_cancelled_is_not_superseded(done: "SimpleQueue[Task[int]]") -> None:
    pool, gate, running = ThreadPool(1), threading.Event(), threading.Event()
    begun = Task(lambda: (running.set(), gate.wait(WAIT_S), 1)[2], done.put)
    pool.submit(begun)
    assert running.wait(WAIT_S)
    cancelled = Task(lambda: 2, done.put)
    pool.submit(cancelled)
    pool.cancel(cancelled)

    assert not pool.supersede(begun, Task(lambda: 3, done.put))
    assert not pool.supersede(cancelled, Task(lambda: 4, done.put))
    gate.set()
    assert done.get(timeout=WAIT_S).result == 1
    pool.close()


def test_an_abandoned_task_frees_its_place_and_reports_nothing(done: "SimpleQueue[Task[int]]") -> None:
    pool, gate, running = ThreadPool(1), threading.Event(), threading.Event()

    def hang() -> int:
        running.set()
        gate.wait(WAIT_S)
        return 0

    hung = Task(hang, done.put)
    pool.submit(hung)
    assert running.wait(WAIT_S)
    pool.submit(Task(lambda: 7, done.put))

    at = pool.abandon(hung)
    assert at is not None
    assert ".py:" in at
    assert done.get(timeout=WAIT_S).result == 7
    gate.set()
    pool.submit(Task(lambda: 8, done.put))
    assert done.get(timeout=WAIT_S).result == 8
    pool.close()


def test_a_thread_that_comes_back_hangs_no_more(done: "SimpleQueue[Task[int]]") -> None:
    pool, gate, running = ThreadPool(1), threading.Event(), threading.Event()
    ended = threading.Event()

    def hang() -> int:
        running.set()
        gate.wait(WAIT_S)
        ended.set()
        return 0

    hung = Task(hang, done.put)
    pool.submit(hung)
    assert running.wait(WAIT_S)
    pool.abandon(hung)
    assert pool.hung == 1
    gate.set()
    assert ended.wait(WAIT_S)
    for thread in [thread for thread in threading.enumerate() if thread.ident == hung.thread_id]:
        thread.join(WAIT_S)
    assert pool.hung == 0
    pool.close()


def test_what_has_finished_is_not_abandoned(done: "SimpleQueue[Task[int]]") -> None:
    pool = ThreadPool(1)
    pool.submit(Task(lambda: 1, done.put))
    task = done.get(timeout=WAIT_S)
    assert pool.abandon(task) is None
    assert pool.hung == 0
    pool.close()


def test_a_task_is_taken_back_unless_it_is_begun(done: "SimpleQueue[Task[int]]") -> None:
    pool, gate, running = ThreadPool(1), threading.Event(), threading.Event()

    def wait() -> int:
        running.set()
        gate.wait(WAIT_S)
        return 1

    begun, waiting = Task(wait, done.put), Task(lambda: 2, done.put)
    pool.submit(begun)
    pool.submit(waiting)
    assert running.wait(WAIT_S)

    assert (pool.take_back(waiting), pool.take_back(begun)) == (True, False)
    assert not begun.cancelled
    pool.submit(Task(lambda: 3, done.put))
    gate.set()
    assert [done.get(timeout=WAIT_S).result for _ in range(2)] == [1, 3]
    pool.close()
