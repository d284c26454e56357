"""What tells whether a camera sees as it did: whether its picture changes, is sharp, and shows the same background."""

import cv2
import numpy as np

from streams.contract.images import Image

_EDGE_WIDTH = 160
# An edge is as steep (Sobel) as this fraction of the picture's standard deviation, so that there are as many in dusk
# and in fog; below the least of 8 bits lies the noise of a sensor, averaged to that width.
_EDGE = 0.25
_LEAST_EDGE = 4.0
# The share of pixels that must hold edges that stay, for there to be a background to tell by.
_ENOUGH_EDGES = 0.02
# And the share of that many that a picture must have to be told of.
_ENOUGH_SEEN = 0.25
_LEAST_SIDE = 32
# Of 255: a frame that is encoded once more at the same quality differs by less than 0.05 in the mean, one of a sensor
# with the least noise (a standard deviation of 1) by 0.6, and the stillest of OpenCV's box.mp4 by 0.3.
_STILL_MEAN = 0.2
# In the mean of 8 x 8 pixels: something small that moves, such as the digits of a clock.
_STILL_BLOCK = 4.0
# After it has learnt, it learns this many times slower: enough for dusk, too little for what is to be reported.
_SLOWER = 30
# The `sharpness_of` the dullest view that is in focus; of OpenCV's box.mp4 it is 0.022, and 0.002 out of focus.
LEAST_SHARPNESS = 0.01

Field = np.ndarray[tuple[int, int], np.dtype[np.complex64]]


class Stillness:
    """How long a camera's picture has not changed."""

    def __init__(self) -> None:
        self._seen: Image | None = None
        self._since_ns = 0

    def see(self, image: Image, at_ns: int) -> float:
        """Seconds since the last change; what a JPEG encoder makes of the same picture is none.

        image: uint8 (H, W), always the same size.
        """
        # Against the first of its like: against the frame before, what changes slowly would never have changed.
        if self._seen is None or _differs(self._seen, image):
            self._seen, self._since_ns = image, at_ns
        return (at_ns - self._since_ns) / 1e9


class Sharpness:
    """How sharp a camera's picture is, against what is usual for it."""

    def __init__(self, learn_frames: int, *, least: float = LEAST_SHARPNESS) -> None:
        """least: what the usual never lies below."""
        self._least = least
        self._learn_frames, self._frames, self._log = learn_frames, 0, 0.0

    def relative(self, sharpness: float) -> float | None:
        """A picture's `sharpness` as a multiple of the usual; None where nothing is learnt."""
        if self._frames < self._learn_frames:
            return None
        return sharpness / max(float(np.exp(self._log)), self._least)

    def learn(self, sharpness: float) -> None:
        """Take the picture for a usual one."""
        value = float(np.log(max(sharpness, 1e-6)))
        self._log += (value - self._log) * _rate(self._frames, self._learn_frames)
        self._frames += 1


def sharpness_of(image: Image) -> float:
    """The variance of the Laplacian (Pech-Pacheco, 2000); image: uint8 (H, W).

    Of the picture a little smoothed, so that noise does not count, and divided by the variance of the picture, so that
    dusk is no blur.
    """
    spread = float(image.var())
    # Flat: there is nothing that could be sharp.
    return float(cv2.Laplacian(cv2.GaussianBlur(image, (3, 3), 0), cv2.CV_32F).var()) / spread if spread > 0 else 0.0


class Background:
    """The edges of a camera's picture that stay where they are, by their direction (doubled, as a complex number).

    A direction does not depend on how bright it is, nor on which side is the brighter; what moves through the picture
    hides some edges and leaves the others.
    """

    def __init__(self, shape: tuple[int, int], *, learn_frames: int, tolerance: float) -> None:
        """shape: (height, width) of the pictures. tolerance: how far edges may shift, as a fraction of the width."""
        height, width = shape
        self._size = (min(width, _EDGE_WIDTH), max(1, round(height * min(1.0, _EDGE_WIDTH / width))))
        self._mean: Field = np.zeros(self._size[::-1], np.complex64)
        self._reach = max(1, round(tolerance * self._size[0]))
        self._learn_frames, self._frames = learn_frames, 0

    def edges(self, image: Image) -> Field:
        """A picture's edges, to be handed to `fit` and `learn`: 1 long where there is one, 0 where there is none.

        image: uint8 (H, W).
        """
        small = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        least = max(_LEAST_EDGE, _EDGE * float(small.std()))
        slope = np.empty(small.shape, np.complex64)
        slope.real, slope.imag = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
        steepness = slope.real**2 + slope.imag**2
        edges: Field = np.where(steepness > least**2, slope * slope / np.maximum(steepness, 1), 0)
        return edges

    def fit(self, edges: Field) -> float | None:
        """How well the background fits at its place, as a multiple of how well it fits elsewhere.

        About 2 and more where the camera stands still, below 1 where it has moved; None where nothing is learnt, or too
        little is seen to tell.
        """
        kept = np.where(self._kept(), self._mean, 0)
        seen, known = np.count_nonzero(edges), np.count_nonzero(kept)
        if self._frames < self._learn_frames or min(self._size) < _LEAST_SIDE:
            return None
        if known < _ENOUGH_EDGES * kept.size or seen < _ENOUGH_SEEN * known:
            return None
        # By how much the edges agree at each shift, all at once.
        fits = np.fft.fftshift(np.fft.ifft2(np.fft.fft2(edges) * np.conj(np.fft.fft2(kept))).real)
        y, x = fits.shape[0] // 2, fits.shape[1] // 2
        near, far = self._reach, 2 * self._reach
        here = float(fits[max(0, y - near) : y + near + 1, max(0, x - near) : x + near + 1].max())
        fits[max(0, y - far) : y + far + 1, max(0, x - far) : x + far + 1] = 0.0
        return max(0.0, here) / max(float(fits.max()), 1.0)

    def learn(self, edges: Field) -> None:
        """Take the picture for one of the background."""
        self._mean += (edges - self._mean) * np.float32(_rate(self._frames, self._learn_frames))
        self._frames += 1

    def _kept(self) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """Where there is an edge in most pictures."""
        return self._mean.real**2 + self._mean.imag**2 > 0.25


def _rate(frames: int, learn_frames: int) -> float:
    """By how much one more frame changes a mean: all the same at first, then slowly forgetting."""
    return 1 / (frames + 1) if frames < learn_frames else 1 / (_SLOWER * learn_frames)


def _differs(before: Image, image: Image) -> bool:
    change = cv2.absdiff(before, image)
    return cv2.mean(change)[0] > _STILL_MEAN or float(cv2.blur(change, (8, 8)).max()) > _STILL_BLOCK
