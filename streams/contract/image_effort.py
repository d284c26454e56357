"""What an image asks of a decoder beyond its pixels: a few bytes more can be seconds more.

A scan of a JPEG is a walk over the whole picture, and may be empty: 14 bytes, and 5 ms where it has 25 megapixels. A
compressed text in a PNG may be 8 MB of zeros: 8 kB, and 40 ms. Neither is bounded by the size in the header.
"""

import re

import numpy as np

# What encoders make has 10 to 20.
MAX_SCANS = 50
# Of 64 kB at the most, and those before a picture's data are few. Nobody counts them where there are few scans.
MAX_SEGMENTS = 4000
MAX_TEXTS = 16

_MARKER, _SCAN, _END = 0xFF, 0xDA, 0xD9
# SOF0 and SOF1, Huffman's tables, and what else may stand before a scan.
_SEQUENTIAL, _HUFFMAN, _OTHERS = (0xC0, 0xC1), 0xC4, range(0xDB, 0xFF)
_MOST_BEFORE = 64
# Not those that have no length: they stand within the data of scans.
_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
_COMPRESSED = (b"zTXt", b"iTXt", b"iCCP")


def excess(data: bytes, content_type: str) -> str:
    """What of an image is more than any encoder makes, in words; "" where nothing is. Nothing is decoded.

    Not to be asked of a JPEG that has an `only_scan`: there is nothing, and it takes longer to see that.
    """
    if content_type == "image/jpeg" and _may_have_scans(data) and _has_scans(data):
        return f"more than {MAX_SCANS} scans, or {MAX_SEGMENTS} segments"
    if content_type == "image/png" and _has_texts(data):
        return f"more than {MAX_TEXTS} compressed texts"
    return ""


def only_scan(jpeg: bytes) -> int:
    """Where the scan of an ordinary JPEG begins: one of all its components, behind which no decoder takes another.

    Looks at what stands before the picture's data alone; 0 for whatever is odd.
    """
    at, last, components = 2, len(jpeg) - 10, 0
    for _ in range(_MOST_BEFORE):
        if at > last or jpeg[at] != _MARKER:
            return 0
        marker, size = jpeg[at + 1], jpeg[at + 2] << 8 | jpeg[at + 3]
        if marker == _SCAN:
            return at if components > 0 and jpeg[at + 4] == components else 0
        if marker in _SEQUENTIAL and not components:
            components = jpeg[at + 9]
        elif (marker != _HUFFMAN and marker not in _OTHERS) or size < 2:
            return 0
        at += 2 + size
    return 0


def _may_have_scans(jpeg: bytes) -> bool:
    # It counts too much: also what stands in thumbnails, and behind the picture's end.
    data = np.frombuffer(jpeg, np.uint8)
    return int(np.count_nonzero((data[:-1] == 0xFF) & (data[1:] == _SCAN))) > MAX_SCANS


def _has_scans(jpeg: bytes) -> bool:
    at, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = _SEGMENT.search(jpeg, at)
        if found is None or found[1][0] == _END:
            return False
        scans += found[1][0] == _SCAN
        if scans > MAX_SCANS:
            return True
        at = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2])
    return True


def _has_texts(png: bytes) -> bool:
    at, texts = 8, 0
    while at + 8 <= len(png):
        kind = png[at + 4 : at + 8]
        if kind == b"IEND":
            return False
        texts += kind in _COMPRESSED
        if texts > MAX_TEXTS:
            return True
        at += 12 + int.from_bytes(png[at : at + 4])
    return False
