"""A pipeline with new settings that also runs those that are live, on the same frames, and compares the two.

Both run in one process, so that they see the same frames and have the same memories behind them: what differs is made
by the settings, and neither by frames that only one of the two has seen nor by when it was started.
"""

from contextlib import suppress

from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.status import ShadowFigures
from streams.pipeline import Outcome, Pipeline, Run
from streams.shadow_comparison import Comparison, Seen
from streams.shadow_settings import Shadow


class ShadowPipeline(Pipeline):
    """What comes out is made by the new settings; what those that are live make is only compared."""

    def __init__(self, shadow: Shadow) -> None:
        """Make the operators of both; SettingError when one refuses its parameters."""
        super().__init__(shadow.settings)
        self.shadow = shadow
        self._live = Pipeline(shadow.live)
        self.memory_frames = max(self.memory_frames, self._live.memory_frames)
        self.has_memory = self.memory_frames > 0
        self.comparison = Comparison(timeout_s=shadow.candidate.frame_timeout_ms / 1000)

    def open(self) -> Run:
        """Both, with fresh memories."""
        return _Both(super().open(), self._live.open(), self.shadow, self.comparison)

    def figures(self) -> ShadowFigures:
        """How the two compare, over the last minute."""
        seconds, counts = self.comparison.last_minute()
        return ShadowFigures(
            live=self._live.label,
            shadow=self.label,
            seconds=round(seconds, 1),
            frames=counts.frames,
            changed_frames=counts.changed_frames,
            changed_events=counts.changed_events,
            changed_events_per_minute=round(counts.changed_events * 60 / seconds, 2),
            only_live=counts.only_live,
            only_shadow=counts.only_shadow,
            pictures=counts.pictures,
            resized=counts.resized,
            psnr_mean_db=round(counts.psnr_db / counts.pictures, 2) if counts.pictures else None,
            psnr_lowest_db=round(counts.lowest_db, 2) if counts.pictures else None,
        )


class _Both:
    def __init__(self, candidate: Run, live: Run, shadow: Shadow, comparison: Comparison) -> None:
        self._candidate, self._live, self._shadow, self._comparison = candidate, live, shadow, comparison

    def __call__(self, frame: Frame) -> Outcome:
        wanted = self._shadow.candidate.wants(frame.camera_id)
        if not wanted and not self._shadow.live.wants(frame.camera_id):
            return Outcome(None, (), {})
        # The live settings first: should the shadow hang, it is known what it hangs at.
        number = self._comparison.begin(self._made_live(frame))
        seen = Seen()
        try:
            if not wanted:
                return Outcome(None, (), {})
            outcome = self._candidate(frame)
            seen = _seen(outcome)
            return outcome
        finally:
            self._comparison.end(number, seen, camera=frame.camera_id)

    def remember(self, frame: Frame) -> None:
        for run, settings in ((self._live, self._shadow.live), (self._candidate, self._shadow.candidate)):
            if settings.wants(frame.camera_id):
                # What one of them cannot remember, the other may.
                with suppress(FrameError):
                    run.remember(frame)

    def _made_live(self, frame: Frame) -> Seen:
        if not self._shadow.live.wants(frame.camera_id):
            return Seen()
        try:
            return _seen(self._live(frame))
        except FrameError:
            return Seen()


def _seen(outcome: Outcome) -> Seen:
    events = tuple(found.event for found in outcome.events)
    if outcome.frame is None:
        return Seen(events=events)
    return Seen(made=True, picture=outcome.frame.data, events=events)
