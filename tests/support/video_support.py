"""Videos of stamped pictures, written by PyAV as cameras and cutters write them, and what comes out of sources."""

import wave
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame

from producers.sources.base import Grab, Source
from producers.stamp import read_stamp
from streams.contract.images import Image

# One slice a picture, and a key frame each second, as cameras have it.
_H264 = {"threads": "1", "preset": "ultrafast", "g": "15", "bf": "0"}
# MJPEG with the tables that everybody has, for RTP sends none.
_MJPEG = {"huffman": "default"}


def write_with_pyav(
    path: Path,
    images: Sequence[Image],
    *,
    codec: str = "libx264",
    fps: Fraction | int = 15,
    first: int = 0,
    settings: Mapping[str, str] | None = None,
    pix_fmt: str = "",
    colorspace: int | None = None,
    rotation: tuple[int, bool] | None = None,
) -> Path:
    """A video of these pictures; the format is that of the name's suffix.

    first: the number of the first frame's time. rotation: degrees counterclockwise, and whether it is mirrored.
    """
    more = {"libx264": _H264, "mjpeg": _MJPEG}.get(codec, {})
    with av.open(str(path), "w", options={"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}) as out:
        stream = out.add_stream(codec, rate=Fraction(fps), options={**more, **(settings or {})})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt or ("yuvj420p" if codec == "mjpeg" else "yuv420p")
        if colorspace is not None:
            stream.codec_context.colorspace = colorspace
        if rotation is not None:
            stream.set_display_rotation(rotation[0], rotation[1])
        for number, image in enumerate(images, first):
            frame = VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def write_jpegs(path: Path, jpegs: Sequence[bytes], *, size: tuple[int, int], fps: int = 15) -> Path:
    """A video of these JPEGs, byte for byte. size: (width, height)."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p"
        for number, jpeg in enumerate(jpegs):
            packet = Packet(jpeg)
            packet.stream, packet.time_base = stream, Fraction(1, fps)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            out.mux(packet)
    return path


def write_sound(path: Path) -> Path:
    """A file (WAV) with sound alone."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16000))
    return path


def packets_of(path: Path) -> list[bytes]:
    """The packets of its pictures, as they lie in the file."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def without_tables(jpeg: bytes) -> bytes:
    """The JPEG without its Huffman tables, as AVI and RTP carry it."""
    while (at := jpeg.find(b"\xff\xc4")) >= 0:
        jpeg = jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4]) :]
    return jpeg


def image_of(picture: bytes | Image) -> Image:
    """The picture as uint8 (H, W, 3) BGR."""
    if not isinstance(picture, bytes):
        return picture
    return np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)


def numbers(grabs: Sequence[Grab]) -> list[int]:
    """The numbers that are drawn into the pictures; -1 where none can be read."""
    stamps = [read_stamp(image_of(grab.picture)) for grab in grabs]
    return [-1 if stamp is None else stamp.sequence for stamp in stamps]


def grabs_of(source: Source, most: int = 1000) -> list[Grab]:
    """What it gives up to its end, or so many."""
    return list(islice(_grabs(source), most))


def _grabs(source: Source) -> Iterator[Grab]:
    while (grab := source.grab()) is not None:
        assert isinstance(grab, Grab)
        yield grab
