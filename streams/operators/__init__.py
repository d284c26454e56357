"""Operators: functions of a frame. One a file, listed here by name; they do no I/O, read no clock, know no Kafka.

To add one: a file beside this, a line in OPERATORS, a test in tests/unit/streams/operators, a row in the README.
"""

from streams.operators.annotate import Annotate
from streams.operators.base import Operator
from streams.operators.blur import Blur
from streams.operators.crop import Crop
from streams.operators.denoise import Denoise
from streams.operators.edges import Edges
from streams.operators.equalize import Equalize
from streams.operators.flip import Flip
from streams.operators.grayscale import Grayscale
from streams.operators.motion import Motion
from streams.operators.pixelate import Pixelate
from streams.operators.resize import Resize
from streams.operators.rotate import Rotate
from streams.operators.sharpen import Sharpen
from streams.operators.threshold import Threshold

OPERATORS: dict[str, type[Operator]] = {
    "resize": Resize,
    "crop": Crop,
    "rotate": Rotate,
    "flip": Flip,
    "grayscale": Grayscale,
    "blur": Blur,
    "sharpen": Sharpen,
    "denoise": Denoise,
    "equalize": Equalize,
    "edges": Edges,
    "threshold": Threshold,
    "motion": Motion,
    "pixelate": Pixelate,
    "annotate": Annotate,
}

__all__ = ["OPERATORS", "Operator"]
