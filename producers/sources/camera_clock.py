"""Capture times within one run: the camera's own or this host's, and never backwards."""

from collections.abc import Callable

_SECOND_NS = 1_000_000_000
# A camera's clock that is further off is not that of its pictures, but told beside it.
BELIEVED_NS = 2 * _SECOND_NS
NONSENSE_NS = 10 * 366 * 86_400 * _SECOND_NS


class CameraClock:
    """Gives each picture its time, for cameras that tell theirs: in headers (MJPEG), by sender reports (RTSP).

    Until the camera tells a time, it is this host's. The first one that it tells decides for the run: within two
    seconds of this host's, the camera is believed from there on; further off, its times are handed on as they are, for
    `CameraProducer.publish` to keep beside its own. More than ten years off, a time counts as none.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        """clock: this host's, ns since 1970."""
        self._clock = clock
        self._believed: bool | None = None
        self._last_ns = 0

    def time_of(self, told_ns: int | None) -> int:
        """The time of the next picture, ns since 1970. told_ns: when the camera says that it took it; None: it doesn't.

        Each is later than those before it, but for times that are handed on.
        """
        now = self._clock()
        if told_ns is None or abs(told_ns - now) > NONSENSE_NS:
            return self._later(now)
        near = abs(told_ns - now) <= BELIEVED_NS
        if self._believed is None:
            self._believed = near
        if not self._believed and not near:
            return told_ns
        # Once on one clock a run stays on it: to go to and fro would squeeze or stretch the times between pictures.
        return self._later(told_ns if near and self._believed else now)

    def _later(self, time_ns: int) -> int:
        self._last_ns = max(time_ns, self._last_ns + 1)
        return self._last_ns
