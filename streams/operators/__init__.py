"""Operators: functions of a frame. One a file, listed here by name; they do no I/O, read no clock, know no Kafka.

Those that need a network's file read it when they are made, and not again.

To add one: a file beside this, a line in OPERATORS, a test in tests/unit/streams/operators, a row in the README.
"""

from streams.operators.annotate import Annotate
from streams.operators.base import Operator
from streams.operators.blur import Blur
from streams.operators.codes import Codes
from streams.operators.crop import Crop
from streams.operators.dedupe import Dedupe
from streams.operators.denoise import Denoise
from streams.operators.detect import Detect
from streams.operators.dwell import Dwell
from streams.operators.edges import Edges
from streams.operators.equalize import Equalize
from streams.operators.faces import Faces
from streams.operators.flip import Flip
from streams.operators.grayscale import Grayscale
from streams.operators.health import Health
from streams.operators.line_count import LineCount
from streams.operators.motion import Motion
from streams.operators.perspective import Perspective
from streams.operators.pixelate import Pixelate
from streams.operators.resize import Resize
from streams.operators.rotate import Rotate
from streams.operators.sharpen import Sharpen
from streams.operators.stabilize import Stabilize
from streams.operators.threshold import Threshold
from streams.operators.timelapse import Timelapse
from streams.operators.timestamp import Timestamp
from streams.operators.track import Track
from streams.operators.undistort import Undistort

OPERATORS: dict[str, type[Operator]] = {
    "resize": Resize,
    "crop": Crop,
    "rotate": Rotate,
    "flip": Flip,
    "perspective": Perspective,
    "undistort": Undistort,
    "stabilize": Stabilize,
    "grayscale": Grayscale,
    "blur": Blur,
    "sharpen": Sharpen,
    "denoise": Denoise,
    "equalize": Equalize,
    "edges": Edges,
    "threshold": Threshold,
    "motion": Motion,
    "detect": Detect,
    "faces": Faces,
    "codes": Codes,
    "track": Track,
    "line_count": LineCount,
    "dwell": Dwell,
    "health": Health,
    "dedupe": Dedupe,
    "timelapse": Timelapse,
    "pixelate": Pixelate,
    "annotate": Annotate,
    "timestamp": Timestamp,
}

__all__ = ["OPERATORS", "Operator"]
