"""A camera's picture, made ready for the wire."""

import operator
import re
from dataclasses import dataclass, field

import numpy as np

from streams.contract.errors import FrameError, SettingError
from streams.contract.images import MAX_PIXELS, Image, check_image, decode, encode, inspect

DEFAULT_QUALITY = 80
# JPEG_MAX_DIMENSION in libjpeg's jmorecfg.h.
MAX_SIDE = 65_500
_MAX_NS = 2**63 - 1
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Encoded bytes with what the headers say of them. width, height: pixels after EXIF orientation.

    image: the array, uint8, that the bytes were made of; None where they came as bytes.
    """

    data: bytes
    content_type: str
    width: int
    height: int
    image: Image | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSettings:
    """quality: of the JPEG, 1 to 100. size: (width, height) in pixels that every picture is brought to; None: as it is.

    Raises SettingError.
    """

    quality: int = DEFAULT_QUALITY
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise SettingError(f"quality {self.quality}: expected 1 to 100")
        if self.size is not None:
            check_size(self.size, setting="size")


def parse_size(text: str, *, setting: str) -> tuple[int, int]:
    """A size such as "1280x720" as (width, height) in pixels. Raises SettingError for what is none."""
    found = _SIZE.fullmatch(text)
    if found is None or not (int(found[1]) and int(found[2])):
        raise SettingError(f"{setting} {text!r}: expected WIDTHxHEIGHT in pixels, such as 1280x720")
    return check_size((int(found[1]), int(found[2])), setting=setting)


def check_size(size: tuple[int, int], *, setting: str) -> tuple[int, int]:
    """Return the size (width, height), or raise SettingError when no reader would take a picture of it."""
    width, height = size
    if min(size) < 1:
        raise SettingError(f"{setting} {width}x{height}: expected a width and a height above 0")
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise SettingError(
            f"{setting} {width}x{height}: a picture has {MAX_PIXELS} pixels at the most, and {MAX_SIDE} a side"
        )
    return size


def check_time(time_ns: int | None, *, name: str) -> int | None:
    """Return the time as an int, or raise FrameError (bad_headers) when it is none that a header can carry."""
    if time_ns is None:
        return None
    try:
        whole = operator.index(time_ns)
    except TypeError:
        whole = -1
    if not 0 <= whole <= _MAX_NS:
        raise FrameError(
            f"{name} {time_ns!r}: expected nanoseconds, a whole number from 0 to {_MAX_NS}",
            reason="bad_headers",
            stage="capture",
        )
    return whole


def prepare(picture: bytes | Image, settings: PictureSettings) -> Picture:
    """Bytes pass untouched unless they have to be resized; an image, uint8 (H, W, 3) BGR or (H, W), becomes a JPEG.

    Raises FrameError when they are no image, the array is none, or it is larger than readers take.
    """
    if isinstance(picture, (bytes, bytearray, memoryview)):
        passed = _pass_through(bytes(picture))
        if settings.size in (None, (passed.width, passed.height)):
            return passed
        picture = decode(passed.data)
    image = _resize(check_image(picture, stage="capture"), settings.size)
    height, width = image.shape[:2]
    _check_pixels(width, height)
    data = encode(image, quality=settings.quality)
    return Picture(data=data, content_type="image/jpeg", width=width, height=height, image=image)


def _pass_through(data: bytes) -> Picture:
    header = inspect(data)
    width, height = header.upright
    return Picture(data=data, content_type=header.content_type, width=width, height=height)


def _check_pixels(width: int, height: int) -> None:
    try:
        check_size((width, height), setting="picture")
    except SettingError as error:
        raise FrameError(str(error), reason="too_many_pixels", stage="capture") from error


def _resize(image: Image, size: tuple[int, int] | None) -> Image:
    height, width = image.shape[:2]
    if size is None or size == (width, height):
        return image
    # Loaded here: a script that publishes bytes needs no OpenCV.
    import cv2

    smaller = size[0] * size[1] < width * height
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)
