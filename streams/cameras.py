"""Who may run next: frames of one camera one after the other where the pipeline has a memory, all at once where not."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from streams.contract.frame import Frame
from streams.pipeline import Outcome

Run = Callable[[Frame], Outcome]
# Begins a frame, and says whether it did: nobody may want it any more by then.
Start = Callable[[Run], bool]


class Openable(Protocol):
    """What is needed of a pipeline."""

    has_memory: bool

    def open(self) -> Run:
        """The pipeline with a fresh memory."""

    def continued(self, run: Run) -> Run:
        """The pipeline with the memory of a run of another one, whose operators are the same."""


class LazyRun:
    """A pipeline opened when its first frame is there, in that frame's thread: opening may load a model, or fail.

    before: the run whose memory it goes on with. That one may be at its last frame still, and its memory be made there.
    """

    def __init__(self, pipeline: Openable, *, before: "LazyRun | None" = None) -> None:
        self._pipeline, self._before = pipeline, before
        self._run: Run | None = None

    def __call__(self, frame: Frame) -> Outcome:
        """Run the pipeline; to be called for one frame at a time."""
        if self._run is None:
            holder = self._before.holder() if self._before else None
            opened = holder._run if holder else None
            self._run = self._pipeline.continued(opened) if opened else self._pipeline.open()
            self._before = None
        return self._run(frame)

    def holder(self) -> "LazyRun | None":
        """This one, or the one before it that holds the memory; None where no frame has come yet."""
        link: LazyRun | None = self
        while link is not None and link._run is None:
            link = link._before
        return link


class Turns:
    """Gives each frame its turn. One of these belongs to a lane, so that a memory ends with the lane."""

    def __init__(self, pipeline: Openable, shared: Run) -> None:
        self._pipeline, self._shared = pipeline, shared
        self._cameras: dict[str, _Camera] = {}

    def ask(self, camera: str, start: Start) -> None:
        """Call `start(run)`: now, or when the camera's frame before has called `over`."""
        if not self._pipeline.has_memory:
            start(self._shared)
            return
        turn = self._cameras.get(camera)
        if turn is None:
            turn = self._cameras[camera] = _Camera(LazyRun(self._pipeline))
        if turn.busy:
            turn.waiting.append(start)
        else:
            turn.busy = start(turn.run)

    def over(self, camera: str, *, forget: bool = False) -> None:
        """The camera's frame is done. forget: its memory is in use by a thread that hangs, so begin with a new one."""
        turn = self._cameras.get(camera)
        if turn is None:
            return
        if forget:
            turn.run = LazyRun(self._pipeline)
        turn.busy = False
        while turn.waiting and not turn.busy:
            turn.busy = turn.waiting.popleft()(turn.run)

    def continued(self, pipeline: Openable) -> None:
        """Another pipeline with the same operators goes on with each camera's memory, from its next frame on.

        Whoever waits for a turn has to ask again.
        """
        self._pipeline = pipeline
        for turn in self._cameras.values():
            turn.waiting.clear()
            # Where a frame runs, it may be making the memory right now.
            turn.run = LazyRun(pipeline, before=turn.run if turn.busy else turn.run.holder())

    def clear(self) -> None:
        """Nobody gets a turn any more."""
        self._cameras.clear()


class _Camera:
    __slots__ = ("busy", "run", "waiting")

    def __init__(self, run: LazyRun) -> None:
        self.run, self.busy = run, False
        self.waiting: deque[Start] = deque()
