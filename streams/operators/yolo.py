"""What the YOLO detectors put out, by layout.

v5: 1 x N x (5 + C): centre x, y, width, height, whether it is anything, and a score for each of C classes (YOLOv5, v7).
v8: 1 x (4 + C) x N: the same without "anything" (YOLOv8, v9, v11).
end2end: 1 x N x 6: left, top, right, bottom, score, class; what overlaps is gone already (YOLOv10).
Coordinates are pixels of the network's input.
"""

from typing import Final

import cv2
import numpy as np

from streams.operators.networks import Array

LAYOUTS: Final = ("v5", "v8", "end2end")
# As many as the makers of the networks keep.
MOST = 300


def layouts_of(shape: tuple[int, ...], *, labels: int) -> list[str]:
    """The layouts that an output of this shape can have, with so many labels."""
    if len(shape) != 3 or shape[0] != 1:
        return []
    fits = {"v5": shape[2] == 5 + labels, "v8": shape[1] == 4 + labels, "end2end": shape[2] == 6}
    return [layout for layout in LAYOUTS if fits[layout]]


def found_in(output: Array, layout: str, *, score: float, nms: float) -> tuple[Array, Array, Array]:
    """Boxes (N, 4: left, top, right, bottom), scores (N,) and classes (N,) of what is at least as sure as `score`.

    The surest first, 300 at most. nms: of two of a class that overlap by more (intersection over union), the less sure
    one is left out; not where the network has done so.
    """
    rows = output[0].T if layout == "v8" else output[0]
    if layout == "end2end":
        boxes, scores, classes = rows[:, :4], rows[:, 4], rows[:, 5].astype(int)
    else:
        each = rows[:, 4:] if layout == "v8" else rows[:, 5:] * rows[:, 4:5]
        classes = each.argmax(axis=1)
        scores = each[np.arange(len(each)), classes]
        boxes = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1)
    # The first of equals stays the first, so that a repeat is the same.
    kept = np.flatnonzero(scores >= score)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    if layout != "end2end" and len(kept):
        corners = boxes[kept]
        sized = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).astype(float)
        # The scores have been looked at; here they only say which goes first.
        left = cv2.dnn.NMSBoxesBatched(sized, scores[kept], classes[kept], 0.0, nms)  # type: ignore[arg-type]
        kept = kept[np.sort(np.asarray(left, int).reshape(-1))]
    kept = kept[:MOST]
    return boxes[kept], scores[kept], classes[kept]
