"""`health`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2

from streams.contract.event_types import HealthChanged
from streams.contract.frame import Event, Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened
from streams.operators.camera_view import LEAST_SHARPNESS, Background, Sharpness, Stillness, sharpness_of
from streams.operators.checks import require
from streams.operators.downscale import enough_size
from streams.operators.grayscale import gray
from streams.operators.lasting import Lasting

Problem = Literal["dark", "covered", "blurred", "frozen", "moved"]
PROBLEMS: tuple[Problem, ...] = ("dark", "covered", "blurred", "frozen", "moved")
# What ends a problem lies this many times beyond what begins it.
_MARGIN = 1.5
# While no frames come, nothing is known: of a gap no more counts, so that one frame is never all there is to tell by.
_MOST_STEP_NS = 10_000_000_000
# `Background.fit` of a camera that has moved; on footage of a still one it is 2 and more.
_MOVED_FIT = 1.0


@dataclass(frozen=True, slots=True)
class Health:
    """Find what is wrong with a camera: its picture dark, covered, blurred, frozen or moved; the picture stays.

    An event tells when a problem begins, when it has ended, and every repeat_frames frames that it goes on; seconds
    are by the times of capture. problems: those to look for. dark: the mean lightness below which it is, of 255.
    covered: contrast (standard deviation by mean) below which nothing is seen but a surface. blurred: sharpness as a
    fraction of what is usual for the camera. frozen_s: seconds without any change though frames come. moved: how far
    the background may shift, as a fraction of the picture's width. after_s: seconds that a problem must last, and be
    gone, before it counts. learn_frames: from which the usual sharpness and the background are learnt. accept_s: after
    so long, what is seen counts as the camera's usual view, and blurred and moved end; 0 is never.
    """

    problems: tuple[Problem, ...] = PROBLEMS
    dark: float = 16.0
    covered: float = 0.05
    blurred: float = 0.25
    frozen_s: float = 30.0
    moved: float = 0.02
    after_s: float = 3.0
    learn_frames: int = 100
    accept_s: float = 3600.0
    repeat_frames: int = 600
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        some = bool(self.problems) and {*self.problems} <= {*PROBLEMS}
        require(some, self, "problems", f"some of {', '.join(PROBLEMS)}")
        require(0 < self.dark <= 128, self, "dark", "a lightness above 0, up to 128")
        require(0 < self.covered <= 0.5, self, "covered", "a contrast above 0, up to 0.5")
        require(0 < self.blurred <= 0.6, self, "blurred", "a fraction of the usual sharpness above 0, up to 0.6")
        require(1 <= self.frozen_s <= 86_400, self, "frozen_s", "seconds from 1 to 86400")
        require(0 < self.moved <= 0.1, self, "moved", "a fraction of the picture's width above 0, up to 0.1")
        require(0 <= self.after_s <= 3600, self, "after_s", "seconds from 0 to 3600")
        require(2 <= self.learn_frames <= 10_000, self, "learn_frames", "a number of frames from 2 to 10000")
        require(0 <= self.accept_s <= 31_536_000, self, "accept_s", "seconds up to a year, or 0 for never")
        require(1 <= self.repeat_frames <= 1_000_000, self, "repeat_frames", "a number of frames from 1 to 1000000")

    @property
    def memory_frames(self) -> int:
        """As many as it learns from."""
        return self.learn_frames

    def open(self) -> Opened:
        """Watch the frames of one camera."""
        watch = _Watch(self)

        def health(frame: Frame) -> Frame:
            changes = watch.see(frame)
            return frame.with_events(*(Event(type="health", data=change) for change in changes)) if changes else frame

        return health

    def reads_at(self, width: int, height: int) -> tuple[int, int]:
        """The picture halved for as long as 320 pixels of its width remain."""
        return enough_size(width, height)


class _Watch:
    """What is wrong with one camera. A picture of another size is learnt anew; what was wrong stays so until then."""

    def __init__(self, settings: Health) -> None:
        self._settings = settings
        frozen_s, after_s = settings.frozen_s, settings.after_s
        # Where it begins and where it ends. Of all but "frozen", less is worse.
        self._limits: dict[Problem, tuple[float, float]] = {
            "dark": (settings.dark, settings.dark * _MARGIN),
            "covered": (settings.covered, settings.covered * _MARGIN),
            "blurred": (settings.blurred, settings.blurred * _MARGIN),
            # One other picture among equal ones is two changes: what ends it has to go on.
            "frozen": (frozen_s, min(after_s, frozen_s) / 2),
            "moved": (_MOVED_FIT, _MOVED_FIT * _MARGIN),
        }
        self._states = {
            problem: Lasting(
                # It has its duration in it.
                begins_after_s=0.0 if problem == "frozen" else after_s,
                ends_after_s=after_s,
                repeat_frames=settings.repeat_frames,
            )
            for problem in PROBLEMS
            if problem in settings.problems
        }
        self._began_ns: dict[Problem, int] = {}
        self._values: dict[Problem, float] = {}
        self._at_ns = 0
        self._last_ns: int | None = None
        self._was_behind = False
        self._view: _View | None = None

    def see(self, frame: Frame) -> list[HealthChanged]:
        """What there is to be told after this frame."""
        image = gray(frame.downscaled(*self._settings.reads_at(frame.width, frame.height)))
        self._advance(frame.captured_at_ns)
        if self._view is None or self._view.image_shape != image.shape:
            self._view = _View(self._settings, image)
        measured = self._view.see(image, self._at_ns, self._limits)
        changes = []
        for problem, lasting in self._states.items():
            value, (begins, ends) = measured.get(problem), self._limits[problem]
            state = lasting.see(self._case(problem, value), self._at_ns)
            if state == "begun":
                self._began_ns[problem] = self._at_ns
            elif lasting.on and self._is_accepted(problem):
                self._view = _View(self._settings, image, accepted=True)
                state = lasting.turn(False)
            if value is not None:
                self._values[problem] = value
            if state is not None:
                # Where it cannot be told just now, as with blur in the dark, it is what was last measured.
                value, threshold = self._values[problem], ends if state == "ended" else begins
                changes.append(HealthChanged(problem=problem, state=state, value=value, threshold=threshold))
        return changes

    def _advance(self, captured_at_ns: int) -> None:
        behind = self._last_ns is not None and captured_at_ns < self._last_ns
        if self._last_ns is not None:
            self._at_ns += min(max(0, captured_at_ns - self._last_ns), _MOST_STEP_NS)
        # One frame that lies behind was redriven, and the way back from it is no time that passed. But a camera whose
        # clock is put back must not stop it.
        if not behind or self._was_behind:
            self._last_ns = captured_at_ns
        self._was_behind = behind

    def _case(self, problem: Problem, value: float | None) -> bool | None:
        """Whether it is the case; None where it lies between the limits or is not known."""
        if value is None:
            return None
        begins, ends = self._limits[problem]
        if problem == "frozen":
            begun, ended = value >= begins, value < ends or value == 0
        else:
            begun, ended = value < begins, value > ends
        return begun if begun or ended else None

    def _is_accepted(self, problem: Problem) -> bool:
        accept_ns = self._settings.accept_s * 1e9
        return problem in ("blurred", "moved") and 0 < accept_ns <= self._at_ns - self._began_ns[problem]


class _View:
    """What is measured of one camera's pictures of one size."""

    def __init__(self, settings: Health, image: Image, *, accepted: bool = False) -> None:
        """accepted: it shows what is usual, whatever that is."""
        height, width = self.image_shape = image.shape
        learn_frames = settings.learn_frames
        self._stillness = Stillness()
        self._sharpness = Sharpness(learn_frames, least=0.0 if accepted else LEAST_SHARPNESS)
        self._background = Background((height, width), learn_frames=learn_frames, tolerance=settings.moved)

    def see(self, image: Image, at_ns: int, limits: dict[Problem, tuple[float, float]]) -> dict[Problem, float]:
        """What can be told of each problem; a sound picture is learnt from."""
        still_s = self._stillness.see(image, at_ns)
        lightness = cv2.mean(image)[0]
        measured: dict[Problem, float] = {"dark": lightness}
        if lightness <= limits["dark"][1]:
            return measured
        measured["frozen"] = still_s
        # Averaged, for the noise of a covered sensor is no contrast.
        contrast = measured["covered"] = float(cv2.blur(image, (5, 5)).std()) / lightness
        if contrast <= limits["covered"][1]:
            return measured
        sharpness = sharpness_of(image)
        relative = self._sharpness.relative(sharpness)
        if relative is not None:
            measured["blurred"] = relative
            if relative <= limits["blurred"][1]:
                return measured
        edges = self._background.edges(image)
        fit = self._background.fit(edges)
        if fit is not None:
            measured["moved"] = fit
            if fit < limits["moved"][0]:
                return measured
        self._sharpness.learn(sharpness)
        self._background.learn(edges)
        return measured
