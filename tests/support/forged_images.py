"""Images put together by hand: small files that ask much of a decoder, or say what is not so."""

import struct
import zlib

# A code of one bit: coefficients that are all zero, or an end of band for 16384 blocks and as many as 14 bits say.
_ZERO, _BAND = 0x00, 0xE0
_BASELINE, _PROGRESSIVE, _ARITHMETIC = 0xC0, 0xC2, 0xC9


def jpeg_of_scans(kind: str, width: int, height: int, *, scans: int) -> bytes:
    """A JPEG of scans of nothing: kind "empty" (baseline), or gray and "arithmetic" or "again", which gives no warning.

    A baseline one is of three components: with one, no decoder takes a second scan.
    """
    process = {"empty": _BASELINE, "again": _PROGRESSIVE, "arithmetic": _ARITHMETIC}[kind]
    blocks = -(-width // 8) * -(-height // 8)
    parts = [b"\xff\xd8", _segment(0xDB, b"\0" + b"\1" * 64)]
    components = range(1, 4) if process == _BASELINE else range(1, 2)
    frame = struct.pack(">BHHB", 8, height, width, len(components))
    frame += b"".join(bytes((component, 0x11, 0)) for component in components)
    parts += [_segment(process, frame), _codes(0x00, _ZERO), _codes(0x10, _BAND if kind == "again" else _ZERO)]
    if kind == "again":
        parts += [_scan(0, 0, bytes(-(-blocks // 8))), _scan(1, 63, _bands(blocks)) * scans]
    else:
        parts += [_scan(0, 63, b"", component=1 + number % len(components)) for number in range(scans)]
    return b"".join([*parts, b"\xff\xd9"])


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG, with the sum that belongs to it."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a sound PNG: name and data."""
    found, at = [], 8
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def png_from(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, each with a sum that is right."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def text_of_zeros(size: int) -> bytes:
    """The data of a zTXt chunk that grows to so many bytes."""
    return b"k\0\0" + zlib.compress(bytes(size), 9)


def with_size(image: bytes, width: int, height: int) -> bytes:
    """The image with another size in its header: a JPEG of one frame, a PNG, or a WebP, which gets an extended one."""
    if image.startswith(b"\x89PNG"):
        (kind, data), *others = png_chunks(image)
        return png_from([(kind, struct.pack(">II", width, height) + data[8:]), *others])
    if image.startswith(b"RIFF"):
        sides = ((max(1, side) - 1).to_bytes(3, "little") for side in (width, height))
        head = b"VP8X" + struct.pack("<II", 10, 0) + b"".join(sides)
        body = image[12:] if image[12:16] != b"VP8X" else image[30:]
        return b"RIFF" + struct.pack("<I", 4 + len(head) + len(body)) + b"WEBP" + head + body
    # The last one: a thumbnail has a header of its own.
    at = max(image.rfind(b"\xff\xc0"), image.rfind(b"\xff\xc2"))
    return image[: at + 5] + struct.pack(">HH", height, width) + image[at + 9 :]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _codes(which: int, symbol: int) -> bytes:
    return _segment(0xC4, bytes((which, 1, *bytes(15), symbol)))


def _scan(first: int, last: int, data: bytes, *, component: int = 1) -> bytes:
    return _segment(0xDA, bytes((1, component, 0, first, last, 0))) + data


def _bands(blocks: int) -> bytes:
    """As many ends of band as there are blocks: a bit of code, and 14 that say how many more than 16384."""
    text = ""
    while blocks > 0:
        text += f"0{min(max(blocks - 16384, 0), 16383):014b}"
        blocks -= 32767
    text += "1" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8)).replace(b"\xff", b"\xff\x00")
