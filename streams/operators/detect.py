"""`detect`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal

import cv2
import numpy as np

from streams.contract.event_types import DetectionsFound
from streams.contract.frame import Box, Event, Frame
from streams.contract.settings_values import shown
from streams.operators.areas import WHOLE, Zones, require_zones
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.letterbox import PADDING, Letterbox
from streams.operators.networks import VERSION_DIGITS, Array, ModelFile, Spares, read_model, refused, said
from streams.operators.onnx_input import input_shape
from streams.operators.resize import MAX_SIDE
from streams.operators.yolo import LAYOUTS, found_in, layouts_of

_SIZE = 640


@dataclass(frozen=True, slots=True)
class Network:
    """A file that OpenCV has run. size: (width, height) of its input in pixels. layout: of its output."""

    file: ModelFile
    size: tuple[int, int]
    layout: str


@dataclass(frozen=True, slots=True)
class Detect:
    """Find what a YOLO network knows: an event for each zone in which there is something; the picture stays as it is.

    model: the network, an ONNX file. labels: a name for each of its classes, or a file with one a line. classes: those
    of them that count; none is all. score: how sure it must be, 0 to 1. nms: of two of a class that overlap by more
    (intersection over union), the less sure one is left out. size: width and height of the network's input in pixels,
    one number for a square; without it what the model says, else 640. layout: of its output; "auto" tells it by the
    shape. zones: areas that the middle of a box must lie in; none is the whole picture, as zone "0".
    """

    model: str
    labels: str | tuple[str, ...]
    classes: tuple[str, ...] = ()
    score: float = 0.25
    nms: float = 0.45
    size: int | tuple[int, int] | None = None
    layout: Literal["auto", "v5", "v8", "end2end"] = "auto"
    zones: Zones = ()
    # Read once: files may change, or go, while frames come.
    names: tuple[str, ...] = field(init=False, repr=False)
    network: Network = field(init=False, repr=False)
    files: ClassVar[tuple[str, ...]] = ("model", "labels")
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(0 < self.score <= 1, self, "score", "a number above 0, up to 1")
        require(0 < self.nms <= 1, self, "nms", "a number above 0, up to 1")
        sides = self.size if isinstance(self.size, tuple) else (_SIZE if self.size is None else self.size,)
        require(all(1 <= side <= MAX_SIDE for side in sides), self, "size", f"1 to {MAX_SIDE} pixels")
        require(self.layout in ("auto", *LAYOUTS), self, "layout", 'one of "auto", "v5", "v8", "end2end"')
        require_zones(self)
        object.__setattr__(self, "names", _labels(self))
        for name in self.classes:
            require(name in self.names, self, "classes", f"names that are among the labels, and {shown(name)} is not")
        object.__setattr__(self, "network", _network(self))

    @property
    def version(self) -> str:
        """Another for another content of the files."""
        return hashlib.sha256(repr((self.network.file.digest, self.names)).encode()).hexdigest()[:VERSION_DIGITS]

    def open(self) -> Opened:
        """Look at each frame, with as many copies of the network as there are threads that do."""
        nets = Spares(self.network.file.net)
        zones = [np.array(zone, np.float32) for zone in self.zones or (WHOLE,)]

        def detect(frame: Frame) -> Frame:
            fit = Letterbox.of((frame.width, frame.height), self.network.size)
            blob = fit.blob(frame.downscaled(*fit.read))
            with nets.one() as net:
                net.setInput(blob)
                output = net.forward()
            boxes: list[list[Box]] = [[] for _ in zones]
            for box, middle in self._boxes(output, fit, frame):
                for zone, inside in zip(zones, boxes, strict=True):
                    if cv2.pointPolygonTest(zone, middle, False) >= 0:
                        inside.append(box)
            events = [
                Event(type="detection", data=DetectionsFound(zone=str(number), boxes=tuple(inside)))
                for number, inside in enumerate(boxes)
                if inside
            ]
            return frame.with_events(*events) if events else frame

        return detect

    def reads_at(self, width: int, height: int) -> tuple[int, int]:
        """The size of the picture within the network's input, where that is smaller."""
        return Letterbox.of((width, height), self.network.size).read

    def _boxes(self, output: Array, fit: Letterbox, frame: Frame) -> Iterator[tuple[Box, tuple[float, float]]]:
        """What counts in the network's output, and the middle of each as fractions of the frame's picture."""
        found = found_in(output, self.network.layout, score=self.score, nms=self.nms)
        for corners, score, number in zip(*found, strict=True):
            # Where the shape does not tell how many classes there are, it shows only now.
            if not 0 <= number < len(self.names):
                raise ValueError(f"the network has found class {number}, and there are {len(self.names)} labels")
            label = self.names[number]
            left, top, right, bottom = fit.back(corners)
            # A network may see things in the padding.
            if left < right and top < bottom and (not self.classes or label in self.classes):
                box = frame.box(left, top, right - left, bottom - top, label=label, score=round(float(score), 4))
                yield box, ((left + right) / 2 / frame.width, (top + bottom) / 2 / frame.height)


def _labels(settings: Detect) -> tuple[str, ...]:
    labels = settings.labels
    if isinstance(labels, str):
        try:
            lines = read_model(settings, "labels").content.decode().splitlines()
        except UnicodeDecodeError as error:
            raise refused(settings, "labels", "a file of text in UTF-8") from error
        labels = tuple(line.strip() for line in lines if line.strip())
    require(len(labels) > 0, settings, "labels", "at least one name")
    return labels


def _network(settings: Detect) -> Network:
    """The network, found to run and to put out what the settings say; ParameterError if it does not."""
    file = read_model(settings)
    size = _input_size(settings, file)
    try:
        shape = _output_shape(file, size)
    except cv2.error as error:
        expected = f"a network that OpenCV can run at {size[0]}x{size[1]} ({said(error)})"
        raise refused(settings, "model", expected) from error
    labels = len(settings.names)
    possible = layouts_of(shape, labels=labels)
    if settings.layout in possible:
        return Network(file, size, settings.layout)
    output = " x ".join(map(str, shape))
    if settings.layout != "auto" or not possible:
        outputs = (
            f"with {labels} labels its output would be 1 x N x {5 + labels} (v5), 1 x {4 + labels} x N (v8) or "
            f"1 x N x 6 (end2end), and it is {output}"
        )
        if settings.layout == "auto":
            raise refused(settings, "labels", f"a name for each class of the network: {outputs}")
        raise refused(settings, "layout", f"that of the network: {outputs}")
    if len(possible) > 1:
        expected = f"{' or '.join(map(shown, possible))}, for the output, {output}, can be either"
        raise refused(settings, "layout", expected)
    return Network(file, size, possible[0])


def _input_size(settings: Detect, file: ModelFile) -> tuple[int, int]:
    try:
        shape = _input_shape(file)
    except (cv2.error, ValueError) as error:
        reason = said(error) if isinstance(error, cv2.error) else str(error)
        raise refused(settings, "model", f"an ONNX network that OpenCV can read ({reason})") from error
    if len(shape) != 4 or shape[1] not in (3, None):
        told = " x ".join(str(side or "?") for side in shape) or "nothing"
        raise refused(settings, "model", f"a network that takes 1 x 3 x height x width, and it takes {told}")
    asked = settings.size or _SIZE
    width, height = asked if isinstance(asked, tuple) else (asked, asked)
    fixed = shape[3] or width, shape[2] or height
    if settings.size is not None and fixed != (width, height):
        raise refused(settings, "size", f"{fixed[0]}x{fixed[1]}, the only one that the network takes, or none")
    return fixed


@lru_cache(maxsize=8)
def _input_shape(file: ModelFile) -> tuple[int | None, ...]:
    # OpenCV says more surely than we whether it is one at all.
    file.net()
    return input_shape(file.content)


@lru_cache(maxsize=8)
def _output_shape(file: ModelFile, size: tuple[int, int]) -> tuple[int, ...]:
    """The shape of what the network puts out for a picture of nothing; so it is known to run before frames come."""
    net = file.net()
    net.setInput(np.full((1, 3, size[1], size[0]), PADDING / 255, np.float32))
    return tuple(map(int, net.forward().shape))
