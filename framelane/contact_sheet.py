"""A contact sheet: one picture that shows, for each camera, the raw frame above the processed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from framelane.sheet_drawing import ACCENT, BACKGROUND, BOLD, CELL, DIM, NORMAL, fit, text_width, write
from streams.contract.images import Image

Pair = tuple[Image | None, Image | None]
MAX_CAMERAS = 16
_COLUMNS = 4
_MARGIN, _GAP = 32, 20
_TITLE_HEIGHT, _HEAD_HEIGHT, _LABEL_HEIGHT = 72, 40, 30


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
    sheet: Image = np.full((height, width, 3), BACKGROUND, np.uint8)
    right = subtitle or f"{len(columns)} camera{'s' * (len(columns) > 1)}"
    right_width = text_width(right, size=17, weight=NORMAL)
    write(sheet, title, at=(_MARGIN, 45), room=width - 2 * _MARGIN - right_width - _GAP, size=28, weight=BOLD)
    write(sheet, right, at=(width - _MARGIN - right_width, 45), room=right_width, size=17, colour=DIM)
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
    write(sheet, camera_id, at=(x, y + 24), room=cell[0], size=21, weight=BOLD)
    y += _HEAD_HEIGHT - 8
    for label, picture, colour in (("raw", pair[0], DIM), ("processed", pair[1], ACCENT)):
        size = "" if picture is None else f"{picture.shape[1]} \N{MULTIPLICATION SIGN} {picture.shape[0]}"
        size_width = text_width(size, size=15, weight=NORMAL)
        write(sheet, label, at=(x, y + 21), room=cell[0] - size_width - 8, size=16, colour=colour)
        write(sheet, size, at=(x + cell[0] - size_width, y + 21), room=size_width, size=15, colour=DIM)
        y += _LABEL_HEIGHT
        sheet[y : y + cell[1], x : x + cell[0]] = _placeholder(cell, label) if picture is None else fit(picture, cell)
        y += cell[1]


def _placeholder(cell: tuple[int, int], label: str) -> Image:
    empty: Image = np.full((cell[1], cell[0], 3), CELL, np.uint8)
    text = f"no {label} frame"
    width = text_width(text, size=18, weight=NORMAL)
    write(empty, text, at=((cell[0] - width) // 2, cell[1] // 2 + 6), room=cell[0], size=18, colour=DIM)
    return empty
