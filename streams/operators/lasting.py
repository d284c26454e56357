"""What counts as so only once it has been so for long enough."""

from typing import Literal

State = Literal["begun", "ongoing", "ended"]


class Lasting:
    """Whether something is the case, by what each frame says: it neither begins nor ends for a moment's sake.

    on: whether it counts as the case.
    """

    def __init__(self, *, begins_after_s: float, ends_after_s: float, repeat_frames: int) -> None:
        """The seconds that frames must say the other thing in a row, and how many frames lie between two reminders."""
        self.on = False
        # Whole numbers: a tenth of a second thirty times over is less than three seconds in binary.
        self._after_ns = {True: round(begins_after_s * 1e9), False: round(ends_after_s * 1e9)}
        self._repeat_frames = repeat_frames
        self._since_ns: int | None = None
        self._frames = 0

    def see(self, case: bool | None, at_ns: int) -> State | None:
        """What there is to be told after a frame.

        case: what the frame says; None where it cannot tell, which breaks a row. at_ns: never runs back.
        """
        if case is None or case == self.on:
            self._since_ns = None
        else:
            self._since_ns = at_ns if self._since_ns is None else self._since_ns
            if at_ns - self._since_ns >= self._after_ns[case]:
                return self.turn(case)
        if self.on:
            self._frames += 1
            if self._frames % self._repeat_frames == 0:
                return "ongoing"
        return None

    def turn(self, on: bool) -> State:
        """Count it as the case, or not, from now on."""
        self.on, self._since_ns, self._frames = on, None, 0
        return "begun" if on else "ended"
