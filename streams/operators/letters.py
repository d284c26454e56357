"""Words in a picture."""

from itertools import product

import cv2

from streams.contract.images import Image

Color = tuple[int, int, int]
INK: Color = (255, 255, 255)
PAPER: Color = (32, 32, 32)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def letter_scale(height: int) -> float:
    """OpenCV's scale of letters that can be read in a picture of this height.

    They are about a fortieth of it, and never below ten pixels.
    """
    return max(0.45, height / 40 / 22)


def write(image: Image, text: str, at: tuple[int, int], scale: float, *, paper: Color | None = PAPER) -> None:
    """Write into the picture, on a strip of its own, its upper left corner as near to `at` as the picture allows.

    paper: the strip's colour; with None there is no strip, and the letters have a dark outline.
    """
    thickness = max(1, round(scale))
    (width, height), below = cv2.getTextSize(text, _FONT, scale, thickness)
    margin = max(2, round(4 * scale))
    across, down = width + 2 * margin, height + below + 2 * margin
    x = max(0, min(at[0], image.shape[1] - across))
    y = max(0, min(at[1], image.shape[0] - down))
    left, base = x + margin, y + margin + height
    if paper is None:
        # Thicker letters are wider ones, so the outline is made of the same, moved all round.
        edge = max(1, margin // 2)
        for dx, dy in product((-edge, 0, edge), repeat=2):
            cv2.putText(image, text, (left + dx, base + dy), _FONT, scale, PAPER, thickness, cv2.LINE_AA)
    else:
        cv2.rectangle(image, (x, y), (x + across - 1, y + down - 1), paper, cv2.FILLED)
    cv2.putText(image, text, (left, base), _FONT, scale, INK, thickness, cv2.LINE_AA)
