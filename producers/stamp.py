"""A machine-readable stamp in the picture: which frame this is, whatever was done to it on the way.

8 x 5 black and white cells within a black border, in the lower right corner; row by row, highest bit first:
24 bits sequence, 8 bits of a hash of the camera, 8 bits of a checksum. Everything is a fraction of the picture, so a
resized picture is read without knowing what size it had.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from streams.contract.errors import SettingError
from streams.contract.images import Image

COLUMNS, ROWS = 8, 5
MIN_WIDTH, MIN_HEIGHT = 160, 120
MAX_SEQUENCE = 2**24
# A cell is 1/32 of the width and 1/24 of the height; the border is half a cell, as is the margin around it.
_CELLS_ACROSS, _CELLS_DOWN = 32, 24
_BORDER = 0.5
# Flips every other bit, so that no frame has a stamp of one colour only: contrast tells a stamp from a dark corner.
_WHITENING = 0x5AA55AA55A
# Samples a cell and axis; the outer ones are mixed with the neighbours by blur and scaling, so the inner ones count.
_SAMPLES = 4
_MIN_CONTRAST = 40.0
_MIN_CLEARANCE = 0.1


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a stamp says. camera_hash: `camera_hash(camera_id)`, 0 to 255. sequence: modulo 2**24."""

    camera_hash: int
    sequence: int


def camera_hash(camera_id: str) -> int:
    """Eight bits of the camera's id; different cameras may share them."""
    return zlib.crc32(camera_id.encode()) & 0xFF


def stamp(image: Image, camera_id: str, sequence: int) -> None:
    """Draw the stamp into the image, in place: uint8, (H, W, 3) or (H, W), 160 x 120 pixels at the least.

    Raises SettingError when the image is smaller.
    """
    height, width = image.shape[:2]
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        raise SettingError(f"a picture of {width}x{height}: a stamp needs {MIN_WIDTH}x{MIN_HEIGHT} at the least")
    edges_x, edges_y = _edges(width, COLUMNS, _CELLS_ACROSS), _edges(height, ROWS, _CELLS_DOWN)
    image[edges_y[0] : edges_y[-1], edges_x[0] : edges_x[-1]] = 0
    bits = _bits(Stamp(camera_hash(camera_id), sequence % MAX_SEQUENCE))
    for row in range(ROWS):
        for column in range(COLUMNS):
            if bits[row, column]:
                across = slice(edges_x[column + 1], edges_x[column + 2])
                image[edges_y[row + 1] : edges_y[row + 2], across] = 255


def read_stamp(image: Image) -> Stamp | None:
    """Read the stamp of a picture, uint8, (H, W, 3) or (H, W), of any size; None when there is none to be read."""
    height, width = image.shape[:2]
    if width < COLUMNS * 8 or height < ROWS * 8:
        return None
    left, right = _span(width, COLUMNS, _CELLS_ACROSS)
    top, bottom = _span(height, ROWS, _CELLS_DOWN)
    means, border = _sample(_gray(image), (left, top, right, bottom))
    low, high = float(means.min()), float(means.max())
    middle, contrast = (low + high) / 2, high - low
    if contrast < _MIN_CONTRAST or np.abs(means - middle).min() < _MIN_CLEARANCE * contrast or border > middle:
        return None
    return _stamp_of(means > middle)


def _span(length: int, cells: int, per_picture: int) -> tuple[float, float]:
    """Where the stamp with its border lies along one axis, in pixels."""
    cell = length / per_picture
    far = length - cell * _BORDER
    return far - cell * (cells + 2 * _BORDER), far


def _edges(length: int, cells: int, per_picture: int) -> list[int]:
    """The border's outer edge, the edges of the cells, the border's outer edge, in whole pixels."""
    near, far = _span(length, cells, per_picture)
    cell = length / per_picture
    inner = [near + cell * (_BORDER + index) for index in range(cells + 1)]
    return [round(at) for at in (near, *inner, far)]


def _gray(image: Image) -> Image:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _sample(gray: Image, box: tuple[float, float, float, float]) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]:
    """The brightness of each cell's inner part, (ROWS, COLUMNS), and that of the border's brightest side."""
    left, top, right, bottom = box
    across, down = (COLUMNS + 1) * _SAMPLES, (ROWS + 1) * _SAMPLES
    scale_x, scale_y = (right - left) / across, (bottom - top) / down
    # Enough samples to average over what a small stamp has, without reading between the pixels of a large one.
    finer = max(1, round(max(scale_x, scale_y)))
    matrix = np.array(
        [
            [scale_x / finer, 0.0, left + scale_x / finer / 2 - 0.5],
            [0.0, scale_y / finer, top + scale_y / finer / 2 - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    region = cv2.warpAffine(gray, matrix, (across * finer, down * finer), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    samples = cv2.resize(region, (across, down), interpolation=cv2.INTER_AREA).astype(np.float32)
    half = _SAMPLES // 2
    cells = samples[half:-half, half:-half].reshape(ROWS, _SAMPLES, COLUMNS, _SAMPLES)
    sides = (samples[0], samples[-1], samples[:, 0], samples[:, -1])
    means: np.ndarray[Any, np.dtype[np.float32]] = cells[:, 1:-1, :, 1:-1].mean(axis=(1, 3))
    return means, max(float(side.mean()) for side in sides)


def _bits(value: Stamp) -> np.ndarray[Any, np.dtype[np.bool_]]:
    payload = value.sequence << 8 | value.camera_hash
    word = (payload << 8 | _checksum(payload)) ^ _WHITENING
    count = ROWS * COLUMNS
    return np.array([word >> (count - 1 - at) & 1 for at in range(count)], dtype=bool).reshape(ROWS, COLUMNS)


def _stamp_of(bits: np.ndarray[Any, np.dtype[np.bool_]]) -> Stamp | None:
    word = int("".join("1" if bit else "0" for bit in bits.flat), 2) ^ _WHITENING
    payload = word >> 8
    if word & 0xFF != _checksum(payload):
        return None
    return Stamp(camera_hash=payload & 0xFF, sequence=payload >> 8)


def _checksum(payload: int) -> int:
    return zlib.crc32(payload.to_bytes(4, "big")) >> 24
