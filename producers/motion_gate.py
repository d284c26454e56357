"""Whether a picture is worth publishing: something moves in it, against a background that is learnt slowly.

It is looked at small and blurred, so that the noise of the sensor is gone and little time is taken.
"""

import math
from typing import Any

import numpy as np

from streams.contract.errors import FrameError, SettingError
from streams.contract.images import Image, Scale, check_image, decode, inspect, shrink

# In pixels: an eighth of 1280, which a JPEG is decoded to at once; a person fifty metres away is still some pixels.
WIDTH = 160
# What has come to a stop is forgotten after three of these at the most, so a parked car costs no pictures for long;
# and what moves a pixel of the small picture a second is still far from being learnt.
BACKGROUND_S = 4.0
# How far a place strays while nothing moves (noise, leaves, water) is learnt more slowly: a passer-by is not to count.
UNREST_S = 15.0
# How unlike the background a place must be, in lightness (0 to 255): so many times what it strays in the mean (six are
# nearly five standard deviations of noise), but no less than a camera's compression makes of a still scene, and no more
# than a passer-by in poor light: a busy street must not be taken for unrest.
UNREST_TIMES, LEAST, MOST = 6.0, 6.0, 20.0
# Places of the small picture that must be so. A square thing of 1.5 % of the picture's width, 25 levels lighter or
# darker than what is behind it, makes about ten of them.
PLACES = 4
# What becomes lighter or darker all over by no more than this, a cloud or the camera's exposure, does not count.
LIGHT = 8.0
# Where more of the picture than this is new, it is another scene: it is learnt at once.
NEW_SCENE = 0.5
# Published after the last movement, so that one sees how it ends.
POST_ROLL_S = 2.0
# At a picture every few seconds the background would be the picture before, noise and all; at pictures with one and the
# same time it would never be learnt.
_LARGEST_SHARE, _LEAST_STEP_S = 0.5, 0.01
_SECOND_NS = 1_000_000_000
_LONG_STILL_NS = round(POST_ROLL_S * _SECOND_NS) + 1
_SCALES: tuple[Scale, ...] = (8, 4, 2)
_Floats = np.ndarray[Any, np.dtype[np.float32]]


class MotionGate:
    """Looks at the pictures of one camera, one after the other, each once."""

    def __init__(self, *, keep_alive_s: float) -> None:
        """keep_alive_s: a picture is admitted after so many seconds without one, though nothing moves; 0: never.

        Raises SettingError.
        """
        if not (math.isfinite(keep_alive_s) and keep_alive_s >= 0):
            raise SettingError(f"keep_alive_s {keep_alive_s:g}: expected seconds, 0 or more (0: never)")
        self._keep_alive_ns = round(keep_alive_s * _SECOND_NS)
        self._size: tuple[int, int] | None = None
        self._background = _Background(np.zeros((1, 1), np.float32))
        self._last_ns = 0
        # Sums of steps, not times: a clock that is put back takes nothing from them.
        self._still_ns, self._left_out_ns = _LONG_STILL_NS, 0

    def admits(self, picture: bytes | Image, at_ns: int) -> bool:
        """Whether to publish it. picture: encoded, or uint8 (H, W, 3) BGR or (H, W) gray, which is not kept.

        at_ns: when it was captured, in ns. True for the first one, one of another size, and what cannot be decoded,
        which is counted where it is refused.
        """
        try:
            size, small = _small(picture)
        except FrameError:
            return True
        step_ns, self._last_ns = max(0, at_ns - self._last_ns), at_ns
        if size != self._size:
            # Nothing tells whether something moved before the first one.
            self._still_ns = 0 if self._size else _LONG_STILL_NS
            self._size, self._background, self._left_out_ns = size, _Background(small), 0
            return True
        moves = self._background.see(small, step_ns / _SECOND_NS)
        self._still_ns = 0 if moves else self._still_ns + step_ns
        self._left_out_ns += step_ns
        kept_alive = 0 < self._keep_alive_ns <= self._left_out_ns
        if self._still_ns >= _LONG_STILL_NS and not kept_alive:
            return False
        self._left_out_ns = 0
        return True


class _Background:
    """What is seen while nothing moves, and how far each place of it strays. Lightness, float32 (h, w)."""

    def __init__(self, first: _Floats) -> None:
        self._mean = first
        self._unrest = np.full_like(first, LEAST / UNREST_TIMES)
        self._seen = 1

    def see(self, picture: _Floats, step_s: float) -> bool:
        """Whether something moves in it; learns from it. step_s: seconds since the picture before."""
        away = picture - self._mean
        # Cut off, so that a large thing that moves is not taken for the light.
        light = float(np.clip(away, -LIGHT, LIGHT).mean())
        size = np.abs(away - light)
        enough = np.clip(UNREST_TIMES * self._unrest, LEAST, MOST)
        places = int(np.count_nonzero(size > enough))
        if places > NEW_SCENE * size.size:
            self._mean, self._seen = picture, 1
            return True
        self._seen += 1
        self._mean += self._share(step_s, BACKGROUND_S) * away
        self._unrest += self._share(step_s, UNREST_S) * (np.minimum(size, enough) - self._unrest)
        return places >= PLACES

    def _share(self, step_s: float, of_s: float) -> float:
        """How much of what is new is learnt in a step; of the first pictures each as much as those before it."""
        share = 1 - math.exp(-max(_LEAST_STEP_S, step_s) / of_s)
        return min(_LARGEST_SHARE, max(share, 1 / self._seen))


def _small(picture: bytes | Image) -> tuple[tuple[int, int], _Floats]:
    """The picture's (width, height) in pixels, and its lightness, small and blurred: float32 (h, w).

    Raises FrameError for what is no picture.
    """
    # Loaded here: most cameras have no gate.
    import cv2

    if isinstance(picture, (bytes, bytearray, memoryview)):
        data = bytes(picture)
        header = inspect(data)
        width, height = header.upright
        scale: Scale = next((scale for scale in _SCALES if width >= scale * WIDTH), 1)
        image = decode(data, mode="gray", scale=scale, header=header)
    else:
        image = check_image(picture, stage="capture")
        height, width = image.shape[:2]
        # Two rows of each small pixel are enough, and to read a large picture is what takes the time.
        image = image[:: max(1, width // (2 * WIDTH))]
    across = min(WIDTH, width)
    image = shrink(image, across, max(1, min(height, round(height * across / width))))
    if image.ndim == 3:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    blurred = cv2.blur(image.astype(np.float32), (3, 3))
    return (width, height), np.asarray(blurred, dtype=np.float32)
