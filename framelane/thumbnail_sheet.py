"""A sheet with a thumbnail of each camera, and what is known of it; or why there is none."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from framelane.sheet_drawing import BACKGROUND, BOLD, CELL, DIM, NORMAL, fit, text_width, write
from streams.contract.images import Image

_WIDTH, _HEIGHT, _HEAD = 400, 225, 56
_MARGIN, _GAP, _TITLE = 32, 20, 72
_COLUMNS = 4
_WRONG = (90, 90, 235)
_LINE_HEIGHT, _LINE_LETTERS, _MAX_LINES = 22, 46, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """One camera. picture: uint8 (H, W, 3) BGR or (H, W) gray, of any size; None where it gave none.

    about: a line on it; where there is no picture, why, as long as it may be.
    """

    camera_id: str
    about: str
    picture: Image | None = None


def thumbnail_sheet(cameras: Sequence[Thumbnail], *, title: str, subtitle: str) -> Image:
    """Draw cameras in rows of four at the most, in the order given. Returns uint8 (H, W, 3) BGR."""
    columns = max(1, min(_COLUMNS, len(cameras)))
    rows = max(1, -(-len(cameras) // columns))
    width = 2 * _MARGIN + columns * _WIDTH + (columns - 1) * _GAP
    height = _TITLE + rows * (_HEAD + _HEIGHT + _GAP) + _MARGIN - _GAP
    sheet: Image = np.full((height, width, 3), BACKGROUND, np.uint8)
    right = text_width(subtitle, size=17, weight=NORMAL)
    write(sheet, title, at=(_MARGIN, 45), room=width - 2 * _MARGIN - right - _GAP, size=28, weight=BOLD)
    write(sheet, subtitle, at=(width - _MARGIN - right, 45), room=right, size=17, colour=DIM)
    for index, camera in enumerate(cameras):
        row, column = divmod(index, columns)
        _draw(sheet, camera, _MARGIN + column * (_WIDTH + _GAP), _TITLE + row * (_HEAD + _HEIGHT + _GAP))
    return sheet


def _draw(sheet: Image, camera: Thumbnail, x: int, y: int) -> None:
    write(sheet, camera.camera_id, at=(x, y + 20), room=_WIDTH, size=20, weight=BOLD)
    about = camera.about if camera.picture is not None else "no picture"
    colour = DIM if camera.picture is not None else _WRONG
    write(sheet, about, at=(x, y + 44), room=_WIDTH, size=15, colour=colour)
    place = sheet[y + _HEAD : y + _HEAD + _HEIGHT, x : x + _WIDTH]
    if camera.picture is not None:
        place[:] = fit(camera.picture, (_WIDTH, _HEIGHT))
        return
    place[:] = CELL
    cv2.rectangle(place, (0, 0), (_WIDTH - 1, _HEIGHT - 1), _WRONG, 2)
    lines = textwrap.wrap(camera.about, _LINE_LETTERS)[:_MAX_LINES]
    for number, line in enumerate(lines):
        write(sheet, line, at=(x + 16, y + _HEAD + 34 + number * _LINE_HEIGHT), room=_WIDTH - 32, size=15)
