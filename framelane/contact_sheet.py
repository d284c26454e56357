"""A contact sheet: one picture that shows, for each camera, the raw frame above the processed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from streams.contract.images import Image

Pair = tuple[Image | None, Image | None]
MAX_CAMERAS = 16
_COLUMNS = 4
_MARGIN, _GAP = 32, 20
_TITLE_HEIGHT, _HEAD_HEIGHT, _LABEL_HEIGHT = 72, 40, 30
_BACKGROUND, _CELL, _BAR = (28, 24, 22), (44, 39, 36), (12, 10, 9)
_BRIGHT, _DIM, _ACCENT = (245, 242, 240), (168, 158, 150), (120, 200, 90)
_NORMAL, _BOLD = 400, 650


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where things lie, in pixels. cell: (width, height) of one picture."""

    cell: tuple[int, int]
    columns: int
    rows: int

    @property
    def block_height(self) -> int:
        """One camera: its name, and two pictures with a label each."""
        return _HEAD_HEIGHT + 2 * (_LABEL_HEIGHT + self.cell[1])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        width = 2 * _MARGIN + self.columns * self.cell[0] + (self.columns - 1) * _GAP
        height = _TITLE_HEIGHT + self.rows * self.block_height + (self.rows - 1) * 2 * _GAP + _MARGIN
        return width, height

    def corner(self, index: int) -> tuple[int, int]:
        """Upper left of a camera's block."""
        row, column = divmod(index, self.columns)
        x = _MARGIN + column * (self.cell[0] + _GAP)
        return x, _TITLE_HEIGHT + row * (self.block_height + 2 * _GAP)


def contact_sheet(columns: Mapping[str, Pair], *, title: str = "Framelane", subtitle: str = "") -> Image:
    """Draw cameras side by side, in the order given, at most four in a row.

    columns: camera_id -> (raw, processed), each uint8 (H, W, 3) BGR or (H, W) gray of any size, or None where there is
    none. 1 to 16 cameras; ValueError otherwise. subtitle: what stands at the right of the title line.
    Returns uint8 (H, W, 3) BGR.
    """
    if not 1 <= len(columns) <= MAX_CAMERAS:
        raise ValueError(f"a contact sheet shows 1 to {MAX_CAMERAS} cameras, not {len(columns)}")
    grid = _plan(list(columns.values()))
    width, height = grid.size
    sheet: Image = np.full((height, width, 3), _BACKGROUND, np.uint8)
    right = subtitle or f"{len(columns)} camera{'s' * (len(columns) > 1)}"
    right_width = _text_width(right, size=17, weight=_NORMAL)
    _write(sheet, title, at=(_MARGIN, 45), room=width - 2 * _MARGIN - right_width - _GAP, size=28, weight=_BOLD)
    _write(sheet, right, at=(width - _MARGIN - right_width, 45), room=right_width, size=17, colour=_DIM)
    for index, (camera_id, pair) in enumerate(columns.items()):
        _draw_camera(sheet, camera_id, pair, corner=grid.corner(index), cell=grid.cell)
    return sheet


def _plan(pairs: Sequence[Pair]) -> _Grid:
    """Cells as wide as there is room for, and as high as most of the raw pictures need them."""
    # Rows as even as can be: five cameras are three and two, not four and one.
    rows = -(-len(pairs) // _COLUMNS)
    columns = -(-len(pairs) // rows)
    width = {1: 640, 2: 560, 3: 480}.get(columns, 400)
    shapes = [picture.shape for pair in pairs for picture in pair if picture is not None]
    aspect = float(np.median([shape[0] / shape[1] for shape in shapes])) if shapes else 9 / 16
    height = round(width * min(max(aspect, 9 / 21), 1.0))
    return _Grid(cell=(width, height), columns=columns, rows=rows)


def _draw_camera(sheet: Image, camera_id: str, pair: Pair, *, corner: tuple[int, int], cell: tuple[int, int]) -> None:
    x, y = corner
    _write(sheet, camera_id, at=(x, y + 24), room=cell[0], size=21, weight=_BOLD)
    y += _HEAD_HEIGHT - 8
    for label, picture, colour in (("raw", pair[0], _DIM), ("processed", pair[1], _ACCENT)):
        size = "" if picture is None else f"{picture.shape[1]} \N{MULTIPLICATION SIGN} {picture.shape[0]}"
        size_width = _text_width(size, size=15, weight=_NORMAL)
        _write(sheet, label, at=(x, y + 21), room=cell[0] - size_width - 8, size=16, colour=colour)
        _write(sheet, size, at=(x + cell[0] - size_width, y + 21), room=size_width, size=15, colour=_DIM)
        y += _LABEL_HEIGHT
        sheet[y : y + cell[1], x : x + cell[0]] = _placeholder(cell, label) if picture is None else _fit(picture, cell)
        y += cell[1]


def _fit(picture: Image, cell: tuple[int, int]) -> Image:
    """The whole picture in the middle of a cell, with bars where its aspect is another."""
    colour = picture if picture.ndim == 3 else np.repeat(picture[:, :, np.newaxis], 3, axis=2)
    scale = min(cell[0] / colour.shape[1], cell[1] / colour.shape[0])
    width, height = max(1, round(colour.shape[1] * scale)), max(1, round(colour.shape[0] * scale))
    shrinks = scale < 1
    scaled = cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    fitted: Image = np.full((cell[1], cell[0], 3), _BAR, np.uint8)
    left, top = (cell[0] - width) // 2, (cell[1] - height) // 2
    fitted[top : top + height, left : left + width] = scaled
    return fitted


def _placeholder(cell: tuple[int, int], label: str) -> Image:
    empty: Image = np.full((cell[1], cell[0], 3), _CELL, np.uint8)
    text = f"no {label} frame"
    width = _text_width(text, size=18, weight=_NORMAL)
    _write(empty, text, at=((cell[0] - width) // 2, cell[1] // 2 + 6), room=cell[0], size=18, colour=_DIM)
    return empty


def _write(
    image: Image,
    text: str,
    *,
    at: tuple[int, int],
    room: int,
    size: int,
    weight: int = _NORMAL,
    colour: tuple[int, int, int] = _BRIGHT,
) -> None:
    """One line of text, cut short where it would not fit. at: left end of its base line; room: pixels."""
    shown = text
    while shown and _text_width(shown, size=size, weight=weight) > room:
        shown = shown.rstrip("…")[:-1] + "…" if len(shown) > 2 else ""
    if shown:
        cv2.putText(image, shown, at, colour, cv2.FontFace("sans"), size, weight)


def _text_width(text: str, *, size: int, weight: int) -> int:
    if not text:
        return 0
    x, _, width, _ = cv2.getTextSize((10_000, 100), text, (0, 50), cv2.FontFace("sans"), size, weight)
    return x + width
