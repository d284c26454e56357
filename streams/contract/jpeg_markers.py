"""What the markers of a JPEG say: how the camera was held, and whether the file has an end."""

from typing import Literal

_MARKER, _APP1, _SCAN, _END = 0xFF, 0xE1, 0xDA, b"\xff\xd9"


def exif_orientation(jpeg: bytes) -> int:
    """The EXIF orientation (1 to 8, CIPA DC-008 tag 0x0112) of a JPEG; 1 where it has none or it makes no sense."""
    at, last = 2, len(jpeg) - 4
    # Byte by byte rather than by slices, for it is asked of every frame.
    while at <= last and jpeg[at] == _MARKER:
        marker, size = jpeg[at + 1], jpeg[at + 2] << 8 | jpeg[at + 3]
        if marker == _APP1 and jpeg[at + 4 : at + 10] == b"Exif\0\0":
            return _tiff_orientation(jpeg[at + 10 : at + 2 + size])
        if marker == _SCAN or size < 2:
            break
        at += 2 + size
    return 1


def has_end(jpeg: bytes) -> bool:
    """Whether an end follows the picture's data; cameras may put bytes of their own behind it."""
    return jpeg.endswith(_END) or jpeg.find(_END, _start_of_scan(jpeg)) >= 0


def _start_of_scan(jpeg: bytes) -> int:
    # Past the segments before it: a thumbnail among them has an end of its own.
    at, last = 2, len(jpeg) - 4
    while at <= last and jpeg[at] == _MARKER and jpeg[at + 1] != _SCAN:
        at += 2 + (jpeg[at + 2] << 8 | jpeg[at + 3])
    return at


def _tiff_orientation(tiff: bytes) -> int:
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    first = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[first : first + 2], order)
    for at in range(first + 2, min(first + 2 + 12 * count, len(tiff) - 11), 12):
        if int.from_bytes(tiff[at : at + 2], order) == 0x0112:
            value = int.from_bytes(tiff[at + 8 : at + 10], order)
            return value if 1 <= value <= 8 else 1
    return 1
