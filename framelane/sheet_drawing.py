"""How pictures and words are put onto a sheet."""

import cv2
import numpy as np

from streams.contract.images import Image

BACKGROUND, CELL, BAR = (28, 24, 22), (44, 39, 36), (12, 10, 9)
BRIGHT, DIM, ACCENT = (245, 242, 240), (168, 158, 150), (120, 200, 90)
NORMAL, BOLD = 400, 650


def fit(picture: Image, cell: tuple[int, int]) -> Image:
    """The whole picture in the middle of a cell, with bars where its aspect is another."""
    colour = picture if picture.ndim == 3 else np.repeat(picture[:, :, np.newaxis], 3, axis=2)
    scale = min(cell[0] / colour.shape[1], cell[1] / colour.shape[0])
    width, height = max(1, round(colour.shape[1] * scale)), max(1, round(colour.shape[0] * scale))
    shrinks = scale < 1
    scaled = cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    fitted: Image = np.full((cell[1], cell[0], 3), BAR, np.uint8)
    left, top = (cell[0] - width) // 2, (cell[1] - height) // 2
    fitted[top : top + height, left : left + width] = scaled
    return fitted


def write(
    image: Image,
    text: str,
    *,
    at: tuple[int, int],
    room: int,
    size: int,
    weight: int = NORMAL,
    colour: tuple[int, int, int] = BRIGHT,
) -> None:
    """One line of text, cut short where it would not fit. at: left end of its base line; room: pixels."""
    shown = text
    while shown and text_width(shown, size=size, weight=weight) > room:
        shown = shown.rstrip("…")[:-1] + "…" if len(shown) > 2 else ""
    if shown:
        cv2.putText(image, shown, at, colour, cv2.FontFace("sans"), size, weight)


def text_width(text: str, *, size: int, weight: int) -> int:
    """How wide a line of text is, in pixels."""
    if not text:
        return 0
    x, _, width, _ = cv2.getTextSize((10_000, 100), text, (0, 50), cv2.FontFace("sans"), size, weight)
    return x + width
