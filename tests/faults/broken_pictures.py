"""Pictures that nobody can decode, and those that nobody should, each with the reason that its dead letter gives."""

import struct
import zlib

import cv2
from feed import Content
from worker_support import JPEG, PICTURE

PNG = cv2.imencode(".png", PICTURE)[1].tobytes()
WEBP = cv2.imencode(".webp", PICTURE)[1].tobytes()

TRUNCATED = {
    "JPEG cut in its header": Content(JPEG[:20], "undecodable"),
    "JPEG cut in half": Content(JPEG[: len(JPEG) // 2], "undecodable"),
    "JPEG without its last bytes": Content(JPEG[:-2], "undecodable"),
    "PNG cut in its header": Content(PNG[:20], "undecodable"),
    "PNG cut in half": Content(PNG[: len(PNG) // 2], "undecodable"),
    "WebP cut in half": Content(WEBP[: len(WEBP) // 2], "undecodable"),
}
NOTHING = {"empty": Content(b"", "empty"), "null": Content(None, "empty")}
WRONG_MAGIC = {
    "text": Content(b"<html>camera offline</html>", "not_an_image"),
    "zeros": Content(bytes(5000), "not_an_image"),
    "BMP": Content(b"BM" + bytes(5000), "not_an_image"),
    "JPEG from its second byte on": Content(JPEG[1:], "not_an_image"),
    "one byte": Content(b"\xff", "not_an_image"),
}
POISON = [*TRUNCATED.values(), *WRONG_MAGIC.values()]


def png_of(width: int, height: int) -> bytes:
    """A sound PNG, black, one bit a pixel: its bytes are a thousandth of what a decoder makes of them."""
    row = bytes(1 + -(-width // 8))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * height, 9)),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def forged_jpeg(width: int, height: int) -> bytes:
    """A small JPEG whose header says that it is large."""
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", height, width) + JPEG[at + 9 :]


def forged_png(width: int, height: int) -> bytes:
    """A small PNG whose header says that it is large."""
    header = PNG[12:16] + struct.pack(">II", width, height) + PNG[24:29]
    return PNG[:12] + header + struct.pack(">I", zlib.crc32(header)) + PNG[33:]


def forged_webp(width: int, height: int) -> bytes:
    """A WebP whose extended header says that it is large (RFC 9649; at most 2^24 a side)."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 30 + len(WEBP)) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + canvas + WEBP[12:]


# What OpenCV would decode, were it asked; a size of 65535 x 65535 where the format's header has one.
BOMBS = {
    "PNG of 144 megapixels": Content(png_of(12_000, 12_000), "too_many_pixels"),
    "PNG of 65535 x 65535": Content(forged_png(65_535, 65_535), "too_many_pixels"),
    "JPEG forged to 40 megapixels": Content(forged_jpeg(8000, 5000), "too_many_pixels"),
    "JPEG of 65500 x 65500": Content(forged_jpeg(65_500, 65_500), "too_many_pixels"),
    # Above what libjpeg takes: it refuses the header.
    "JPEG of 65535 x 65535": Content(forged_jpeg(65_535, 65_535), "undecodable"),
    "WebP of 65535 x 65535": Content(forged_webp(65_535, 65_535), "too_many_pixels"),
    "GIF": Content(b"GIF89a\xff\xff\xff\xff" + bytes(500), "not_an_image"),
    "TIFF": Content(cv2.imencode(".tiff", PICTURE)[1].tobytes(), "not_an_image"),
    "JP2": Content(b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(500), "not_an_image"),
    "AVIF": Content(b"\x00\x00\x00\x20ftypavif" + bytes(500), "not_an_image"),
}
