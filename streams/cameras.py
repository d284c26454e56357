"""Who may run next: frames of one camera one after the other where the pipeline has a memory, all at once where not."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from streams.contract.frame import Frame
from streams.memories import Memories
from streams.pipeline import Outcome, Run

# Begins a frame, and says whether it did: nobody may want it any more by then.
Start = Callable[[Run], bool]

_SWEEP = 256


class Openable(Protocol):
    """What is needed of a pipeline."""

    has_memory: bool

    def open(self) -> Run:
        """The pipeline with a fresh memory."""

    def continued(self, run: Run) -> Run:
        """The pipeline with the memory of a run of another one, whose operators are the same."""


class LazyRun:
    """A pipeline opened when its first frame is there, in that frame's thread: opening may load a model, or fail.

    It is called for one frame at a time. memories: where it counts as one; they may drop its memory between two frames.
    before: the run whose memory it goes on with. That one may be at its last frame still, and its memory be made there.
    """

    def __init__(self, pipeline: Openable, memories: Memories, *, before: "LazyRun | None" = None) -> None:
        self._pipeline, self._memories, self._before = pipeline, memories, before
        self._run: Run | None = None

    def __call__(self, frame: Frame) -> Outcome:
        """Run the pipeline."""
        self._memories.use(self)
        try:
            return self._opened()(frame)
        finally:
            self._memories.rest(self)

    def remember(self, frame: Frame) -> None:
        """Only learn from the frame."""
        self._memories.use(self)
        try:
            self._opened().remember(frame)
        finally:
            self._memories.rest(self)

    def give(self) -> object:
        """Hand the memory out, and begin afresh with the next frame."""
        run, self._run = self._run, None
        return run

    def end(self) -> None:
        """It is not needed any more, and neither are those before it."""
        link: LazyRun | None = self
        while link is not None:
            self._memories.end(link)
            link = link._before

    def _opened(self) -> Run:
        if self._run is None:
            holder = self._before.holder() if self._before else None
            opened = holder._run if holder else None
            self._run = self._pipeline.continued(opened) if opened else self._pipeline.open()
            if self._before:
                self._before.end()
            self._before = None
        return self._run

    def holder(self) -> "LazyRun | None":
        """This one, or the one before it that holds the memory; None where no frame has come yet."""
        link: LazyRun | None = self
        while link is not None and link._run is None:
            link = link._before
        return link


class Turns:
    """Gives each frame its turn. One of these belongs to a lane, so that a memory ends with the lane.

    memories: where those of all lanes are counted, so that they stay within the worker's limit.
    """

    def __init__(self, pipeline: Openable, shared: Run, *, memories: Memories | None = None) -> None:
        self._pipeline, self._shared = pipeline, shared
        self._memories = Memories() if memories is None else memories
        self._cameras: dict[str, _Camera] = {}
        self._sweep_at = _SWEEP
        # Frames that wait for the memories to be warmed; None: nothing waits for that.
        self._held: deque[tuple[str, Start]] | None = None
        # Whether the memories are what they can be: not where their warming was broken off.
        self.warm = True

    def serves(self, pipeline: Openable) -> bool:
        """Whether its memories are those of this pipeline."""
        return self._pipeline is pipeline

    def ask(self, camera: str, start: Start) -> None:
        """Call `start(run)`: now, or when the camera's frame before has called `over`."""
        if not self._pipeline.has_memory:
            start(self._shared)
        elif self._held is not None:
            self._held.append((camera, start))
        else:
            self._ask(camera, start)

    def over(self, camera: str, *, forget: bool = False) -> None:
        """The camera's frame is done. forget: its memory is in use by a thread that hangs, so begin with a new one."""
        turn = self._cameras.get(camera)
        if turn is None:
            return
        if forget:
            turn.run.end()
            turn.run = LazyRun(self._pipeline, self._memories)
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
            before = turn.run if turn.busy else turn.run.holder()
            if before is None:
                turn.run.end()
            turn.run = LazyRun(pipeline, self._memories, before=before)

    def afresh(self, pipeline: Openable, shared: Run) -> "Turns":
        """The turns of another pipeline for the same lane; these here end."""
        self.clear()
        return Turns(pipeline, shared, memories=self._memories)

    def hold(self) -> None:
        """Let frames wait until `release`; those of `ask_before` go first."""
        self._held, self.warm = deque(), False

    def ask_before(self, camera: str, start: Start) -> bool:
        """As `ask`, for a frame that comes before those that are held; False when no more cameras are remembered."""
        if camera not in self._cameras:
            if not self._memories.room:
                return False
            self._memories.claim(self._add(camera).run)
        self._ask(camera, start)
        return True

    def release(self, *, warm: bool = True) -> None:
        """Nothing waits any more but for its own camera. warm: whether the memories are as they should be."""
        self.warm = warm
        held, self._held = self._held or (), None
        for camera, start in held:
            self._ask(camera, start)

    def clear(self) -> None:
        """Nobody gets a turn any more."""
        self._held = None
        for turn in self._cameras.values():
            turn.run.end()
        self._cameras.clear()

    def _ask(self, camera: str, start: Start) -> None:
        turn = self._cameras.get(camera) or self._add(camera)
        if turn.busy:
            turn.waiting.append(start)
        else:
            turn.busy = start(turn.run)

    def _add(self, camera: str) -> "_Camera":
        if len(self._cameras) >= self._sweep_at:
            # Cameras whose memory was dropped leave nothing that is worth a place.
            self._cameras = {name: turn for name, turn in self._cameras.items() if turn.busy or turn.run.holder()}
            self._sweep_at = max(_SWEEP, 2 * len(self._cameras))
        turn = self._cameras[camera] = _Camera(LazyRun(self._pipeline, self._memories))
        return turn


class _Camera:
    __slots__ = ("busy", "run", "waiting")

    def __init__(self, run: LazyRun) -> None:
        self.run, self.busy = run, False
        self.waiting: deque[Start] = deque()
