"""How the frames of all lanes come to another pipeline: those that no thread has begun get it, the others finish."""

import heapq

from streams.cameras import Turns
from streams.outbox import FrameEntry, FrameLane
from streams.pipeline import Pipeline, Run
from streams.pool import ThreadPool


def swap_turns(
    turns: dict[FrameLane, Turns], pipeline: Pipeline, shared: Run, *, keep_memory: bool, pool: ThreadPool
) -> list[FrameEntry]:
    """Replace each lane's turns by the pipeline's; returns the frames that have to ask for theirs again, in order.

    shared: what the pipeline opened. keep_memory: its operators are those of the one before, and so each camera's
    memory goes on.
    """
    waiting = [_take_back(lane, pool) for lane in turns]
    for lane, before in turns.items():
        if keep_memory:
            before.continued(pipeline)
        else:
            turns[lane] = before.afresh(pipeline, shared)
    # Each lane in its order, and among the lanes whoever came first.
    entries = list(heapq.merge(*waiting, key=lambda entry: entry.work.received_ns))
    for entry in entries:
        work = entry.work
        if work.task is not None:
            work.turns.over(work.camera)
        work.task, work.pipeline, work.turns = None, pipeline, turns[entry.lane]
    return entries


def _take_back(lane: FrameLane, pool: ThreadPool) -> list[FrameEntry]:
    """The frames of a lane that are not begun; no thread begins them any more.

    One stays, too, when a later frame of its camera is begun: a camera's outputs change from the old pipeline to the
    new one once. (Threads take tasks in order, but the one that took the earlier may be the later to begin.)
    """
    taken = []
    begun = set[str]()
    for entry in reversed(lane.unfinished()):
        work = entry.work
        if work.camera in begun:
            continue
        if work.task is None or pool.take_back(work.task):
            taken.append(entry)
        else:
            begun.add(work.camera)
    return taken[::-1]
