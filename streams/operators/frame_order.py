"""How a camera's frames follow one another in time, for operators that remember: told by the frames alone."""

from streams.contract.frame import Frame


class FrameOrder:
    """One camera's time, counted on by capture time from frame to frame; it never runs back."""

    def __init__(self) -> None:
        self._epoch, self._sequence = "", -1
        self._captured_ns: int | None = None
        self._at_ns = 0
        self._was_behind = False

    def see(self, frame: Frame) -> int | None:
        """The frame's time, in ns since the first one, or None for a frame out of its time, which is to be passed over.

        That is one that was redriven: its number has been there, or it was captured before the last one. Two such of
        another epoch in a row are a clock that was put back; time stands still for them, and then goes on.
        """
        if frame.epoch == self._epoch and frame.sequence <= self._sequence:
            return None
        behind = self._captured_ns is not None and frame.captured_at_ns < self._captured_ns
        if behind and not self._was_behind:
            self._was_behind = True
            return None
        if self._captured_ns is not None:
            self._at_ns += max(0, frame.captured_at_ns - self._captured_ns)
        self._epoch, self._sequence, self._captured_ns = frame.epoch, frame.sequence, frame.captured_at_ns
        self._was_behind = False
        return self._at_ns
