"""Whether the packet of an MJPEG stream is a JPEG that stands on its own, so that its bytes can be passed on."""

from producers.sources.jpeg_stream import JpegSplitter

_START = b"\xff\xd8\xff"
_TABLES, _SCAN = 0xC4, 0xDA


def whole_jpeg(packet: bytes) -> bytes | None:
    """The JPEG that these bytes are, without what may lie behind its end; None where they need FFmpeg to be read.

    Which is where they are cut, or two fields of one picture, or without Huffman tables: AVI and RTP may leave these
    out, for they are the same in each picture.
    """
    splitter = JpegSplitter()
    found = list(splitter.feed(packet))
    if len(found) != 1 or found[0].before or splitter.damaged:
        return None
    jpeg = found[0].jpeg
    # A second field that is cut.
    if packet.find(_START, len(jpeg)) >= 0:
        return None
    return jpeg if _has_tables(jpeg) else None


def _has_tables(jpeg: bytes) -> bool:
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at + 1] not in (_TABLES, _SCAN):
        # Fill bytes may stand before a marker.
        at += 1 if jpeg[at + 1] == 0xFF else 2 + (jpeg[at + 2] << 8 | jpeg[at + 3])
    return jpeg[at + 1 : at + 2] == bytes((_TABLES,))
