"""Who may run next: frames of one camera one after the other where the pipeline has a memory, all at once where not."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from streams.contract.frame import Frame
from streams.memories import Memories
from streams.pipeline import Outcome, Run

Start = Callable[[Run], None]

_SWEEP = 256


class Openable(Protocol):
    """What is needed of a pipeline."""

    has_memory: bool

    def open(self) -> Run:
        """The pipeline with a fresh memory."""


class LazyRun:
    """A pipeline opened when its first frame is there, in that frame's thread: opening may load a model, or fail.

    memories: where it counts as one; they may drop its memory between two frames. To be called for one at a time.
    """

    def __init__(self, pipeline: Openable, memories: Memories) -> None:
        self._pipeline, self._memories = pipeline, memories
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

    @property
    def is_open(self) -> bool:
        """Whether it has a memory."""
        return self._run is not None

    def give(self) -> object:
        """Hand the memory out, and begin afresh with the next frame."""
        run, self._run = self._run, None
        return run

    def _opened(self) -> Run:
        if self._run is None:
            self._run = self._pipeline.open()
        return self._run


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
            self._memories.end(turn.run)
            turn.run = LazyRun(self._pipeline, self._memories)
        turn.busy = bool(turn.waiting)
        if turn.waiting:
            turn.waiting.popleft()(turn.run)

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
            self._memories.end(turn.run)
        self._cameras.clear()

    def _ask(self, camera: str, start: Start) -> None:
        turn = self._cameras.get(camera) or self._add(camera)
        if turn.busy:
            turn.waiting.append(start)
        else:
            turn.busy = True
            start(turn.run)

    def _add(self, camera: str) -> "_Camera":
        if len(self._cameras) >= self._sweep_at:
            # Cameras whose memory was dropped leave nothing that is worth a place.
            self._cameras = {name: turn for name, turn in self._cameras.items() if turn.busy or turn.run.is_open}
            self._sweep_at = max(_SWEEP, 2 * len(self._cameras))
        turn = self._cameras[camera] = _Camera(LazyRun(self._pipeline, self._memories))
        return turn


class _Camera:
    __slots__ = ("busy", "run", "waiting")

    def __init__(self, run: LazyRun) -> None:
        self.run, self.busy = run, False
        self.waiting: deque[Start] = deque()
