"""Image bytes: the gate before the decoder, decoding and encoding.

OpenCV trusts the size in an image's header (a 77 kB JPEG with a forged size took 27 s and 5.1 GB), so nothing is
decoded before `inspect` has looked at its length, its magic bytes, that size, and what else would take long
(image_effort.py). cv2 is loaded when first needed.
"""

import os
import struct
from functools import cache
from types import ModuleType
from typing import Any, Literal

import msgspec
import numpy as np
import simplejpeg

from streams.contract.errors import FrameError
from streams.contract.image_effort import excess, only_scan
from streams.contract.jpeg_markers import exif_orientation, has_end

MAX_PIXELS = 25_000_000
MAX_BYTES = 64 * 1024 * 1024
CONTENT_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}

Image = np.ndarray[Any, np.dtype[np.uint8]]
Mode = Literal["color", "gray"]
Scale = Literal[1, 2, 4, 8]


class ImageHeader(msgspec.Struct, frozen=True):
    """What an image says of itself.

    width, height: pixels as stored, before EXIF orientation. colorspace: of a JPEG ("YCbCr", "Gray", "RGB", "CMYK" or
    "YCCK"), else "". orientation: that of a JPEG's EXIF data, 1 to 8; 1 where it has none.
    """

    content_type: str
    width: int
    height: int
    colorspace: str = ""
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """(width, height) in pixels after EXIF orientation; of a PNG or WebP, as stored."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    @property
    def scales(self) -> bool:
        """Whether it can be decoded at a reduced scale or to gray in less time than in full."""
        return self.content_type == "image/jpeg" and self.colorspace not in ("CMYK", "YCCK")


def inspect(data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> ImageHeader:
    """Look at the first bytes of a JPEG, PNG or WebP; nothing is decoded.

    Raises FrameError with reason empty, too_large, not_an_image, too_many_pixels or undecodable.
    """
    if not data:
        raise FrameError("the frame has no bytes", reason="empty", stage="gate")
    if len(data) > max_bytes:
        raise FrameError(f"{len(data)} bytes, the limit is {max_bytes}", reason="too_large", stage="gate")
    start = _start(data)
    known = _known.get(start)
    header = known or _read_header(data)
    pixels = header.width * header.height
    if pixels > max_pixels:
        raise FrameError(
            f"{header.width}x{header.height} is {pixels} pixels, the limit is {max_pixels}",
            reason="too_many_pixels",
            stage="gate",
        )
    if pixels == 0:
        raise FrameError(f"size {header.width}x{header.height}", reason="undecodable", stage="gate")
    if not known:
        scan = only_scan(data) if header.content_type == "image/jpeg" else 0
        if found := "" if scan else excess(data, header.content_type):
            raise FrameError(f"it has {found}, and would take too long", reason="undecodable", stage="gate")
        _remember(start, scan, header)
    return header


# Pictures of a camera begin all alike, and whatever is asked of an ordinary one stands before its data.
_known: dict[bytes, ImageHeader] = {}
_MOST_KNOWN, _LONGEST_KNOWN = 1024, 4096
_SCAN = b"\xff\xda"


def _start(data: bytes) -> bytes:
    """What stands before the data of a JPEG, the scan's own head included; b"" of others, and where that is long."""
    at = data.find(_SCAN, 0, _LONGEST_KNOWN)
    return data[: at + 2 + int.from_bytes(data[at + 2 : at + 4])] if at > 0 else b""


def _remember(start: bytes, scan: int, header: ImageHeader) -> None:
    # What `start` ends with may lie within a thumbnail or a table.
    if not start or scan != start.find(_SCAN):
        return
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[start] = header


def _read_header(data: bytes) -> ImageHeader:
    try:
        if data[:3] == b"\xff\xd8\xff":
            height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
            return ImageHeader("image/jpeg", width, height, colorspace, exif_orientation(data))
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            width, height = struct.unpack(">II", data[16:24])
            return ImageHeader("image/png", width, height)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return ImageHeader("image/webp", *_webp_size(data))
    except (ValueError, struct.error, IndexError) as error:
        raise FrameError(f"its header cannot be read: {error}", reason="undecodable", stage="gate") from error
    raise FrameError(
        f"starts with {data[:8].hex(' ')}, which is neither JPEG, PNG nor WebP", reason="not_an_image", stage="gate"
    )


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height from the first chunk, as RFC 9649 lays it out."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        (bits,) = struct.unpack("<I", data[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError(f"unknown WebP chunk {chunk!r}")


@cache
def _cv2() -> ModuleType:
    # A second line of defence: OpenCV reads this limit once, when it is loaded.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**30))
    import cv2

    return cv2


def decode(
    data: bytes,
    *,
    mode: Mode = "color",
    scale: Scale = 1,
    max_pixels: int = MAX_PIXELS,
    header: ImageHeader | None = None,
) -> Image:
    """Decode to uint8 (H, W, 3) BGR, or (H, W) when mode is "gray"; EXIF orientation applied, 16 bits reduced to 8.

    scale: 2, 4 or 8 decodes a JPEG to a half, a quarter or an eighth of its width and height, rounded up, where its
    header `scales`; whatever does not is decoded in full. header: what `inspect` has said of these bytes already.
    Strict: a truncated or otherwise damaged image raises FrameError (undecodable); what `inspect` refuses does, too.
    """
    header = header or inspect(data, max_pixels=max_pixels)
    if not header.scales:
        return _decode_with_cv2(data, mode)
    # cv2 takes longer for the same pixels, and returns a JPEG whose data end early as if it were whole.
    try:
        image: Image = simplejpeg.decode_jpeg(
            data,
            "BGR" if mode == "color" else "GRAY",
            min_width=-(-header.width // scale) if scale > 1 else 0,
            min_height=-(-header.height // scale) if scale > 1 else 0,
            min_factor=scale,
            strict=True,
        )
    except ValueError as error:
        raise FrameError(f"cannot be decoded: {error}", reason="undecodable", stage="decode") from error
    return orient(image if mode == "color" else image[:, :, 0], header.orientation)


def check_complete(data: bytes, header: ImageHeader) -> None:
    """Raise FrameError (undecodable) where a JPEG that nobody decodes ends early; damage within it is not seen."""
    if header.content_type == "image/jpeg" and not has_end(data):
        raise FrameError("cannot be decoded: it ends early", reason="undecodable", stage="decode")


def shrink(image: Image, width: int, height: int) -> Image:
    """The picture averaged to this size in pixels (INTER_AREA); itself where it has that size already."""
    if image.shape[:2] == (height, width):
        return image
    cv2 = _cv2()
    result: Image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return result


def _decode_with_cv2(data: bytes, mode: Mode) -> Image:
    cv2 = _cv2()
    flags = cv2.IMREAD_COLOR if mode == "color" else cv2.IMREAD_GRAYSCALE
    try:
        image: Image | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise FrameError(f"cannot be decoded: {error.err}", reason="undecodable", stage="decode") from error
    if image is None:
        raise FrameError("cannot be decoded: truncated or damaged", reason="undecodable", stage="decode")
    return image


def orient(image: Image, orientation: int) -> Image:
    """Turn the image upright as its EXIF orientation says; contiguous, (H, W) may become (W, H)."""
    if orientation == 1:
        return image
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    # After the transposition of 5 to 8: which axes run backwards.
    flip_rows, flip_columns = {2: (0, 1), 3: (1, 1), 4: (1, 0), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}[orientation]
    return np.ascontiguousarray(image[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def encode(image: Image, content_type: str = "image/jpeg", *, quality: int = 80) -> bytes:
    """Encode uint8 (H, W, 3) BGR or (H, W) gray. quality: 1 to 100, for JPEG and WebP.

    Raises FrameError (bad_result) for anything that is not such an array.
    """
    check_image(image, stage="encode")
    cv2 = _cv2()
    options = {
        "image/jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "image/webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
        "image/png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
    }[content_type]
    try:
        done, buffer = cv2.imencode(EXTENSIONS[content_type], image, options)
    except cv2.error as error:
        raise FrameError(f"cannot be encoded: {error.err}", reason="bad_result", stage="encode") from error
    if not done:
        raise FrameError(f"cannot be encoded as {content_type}", reason="bad_result", stage="encode")
    return bytes(buffer.data)


def check_image(image: object, *, stage: str) -> Image:
    """Return the image when it is uint8 (H, W, 3) or (H, W) with pixels in it; else raise FrameError (bad_result)."""
    if not isinstance(image, np.ndarray):
        found = f"a {type(image).__name__}"
    elif (
        image.dtype != np.uint8 or image.size == 0 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
    ):
        found = f"{image.dtype} {image.shape}"
    else:
        return image
    raise FrameError(f"expected a uint8 image (H, W, 3) or (H, W), found {found}", reason="bad_result", stage=stage)
