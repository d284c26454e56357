"""Bad images at length: a corpus that a seed makes, of all that the wire, a disk or somebody who means ill may do."""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from forged_images import jpeg_of_scans, png_chunks, png_from, text_of_zeros, with_size

SIZE = (160, 120)
SIGNATURES = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\x40\x00\x00\x00WEBPVP8 ",
    b"RIFF\x40\x00\x00\x00WEBPVP8X",
)
STRANGERS = (
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"\0\0\0\x0cjP  ",
    b"\0\0\0\x20ftypavif",
    b"%PDF-1.7",
    b"<svg>",
    b"PK\3\4",
)
# Each of them longer than the one before: the last walks 1.25 gigapixels.
SCANS = (1, 2, 10, 40, 50, 51, 500, 20_000)
SIDES = (0, 1, 2, 7, 255, 4096, 5000, 16_383, 32_767, 65_500, 65_535)

Make = Callable[[random.Random, "Good"], tuple[bytes, bool]]


@dataclass(frozen=True, slots=True)
class BadImage:
    """One of the corpus. hopeless: whoever decodes it is wrong; of the others some may be seen as they are."""

    kind: str
    data: bytes
    hopeless: bool


@dataclass(frozen=True, slots=True)
class Good:
    """What bad images are made of: sound ones, by what they are."""

    images: dict[str, bytes]

    def any(self, chance: random.Random) -> bytes:
        """One of them."""
        return self.images[chance.choice(list(self.images))]

    def of(self, chance: random.Random, prefix: str) -> bytes:
        """One of a format: jpeg, png or webp."""
        return self.images[chance.choice([name for name in self.images if name.startswith(prefix)])]


def good_images(folder: Path) -> Good:
    """One of each sort that cameras and people send. folder: for what OpenCV writes only to files."""
    rows = np.random.default_rng(1).integers(0, 256, (15, 20, 4), np.uint8)
    alpha = cv2.resize(rows, SIZE, interpolation=cv2.INTER_CUBIC)
    color, gray, deep = alpha[..., :3], alpha[..., 0], alpha[..., :3].astype(np.uint16) * 257

    def encoded(suffix: str, image: np.ndarray, *options: int) -> bytes:
        return cv2.imencode(suffix, image, list(options))[1].tobytes()

    plain = encoded(".jpg", color)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0" + encoded(
        ".jpg", cv2.resize(gray, (32, 24))
    )
    images = {
        "jpeg": plain,
        "jpeg gray": encoded(".jpg", gray),
        "jpeg progressive": encoded(".jpg", color, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "jpeg restarts": encoded(".jpg", color, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        "jpeg best": encoded(".jpg", color, cv2.IMWRITE_JPEG_QUALITY, 100),
        "jpeg turned": plain[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + plain[2:],
        "png": encoded(".png", color),
        "png gray": encoded(".png", gray),
        "png alpha": encoded(".png", alpha),
        "png 16 bits": encoded(".png", deep),
        "png one bit": encoded(".png", gray, cv2.IMWRITE_PNG_BILEVEL, 1),
        "webp": encoded(".webp", color, cv2.IMWRITE_WEBP_QUALITY, 70),
        "webp lossless": encoded(".webp", color, cv2.IMWRITE_WEBP_QUALITY, 101),
        "webp alpha": encoded(".webp", alpha, cv2.IMWRITE_WEBP_QUALITY, 70),
    }
    moving = cv2.Animation()
    moving.frames, moving.durations = [color, color[::-1].copy(), color], [40, 40, 40]
    for suffix in ("png", "webp"):
        path = folder / f"moving.{suffix}"
        assert cv2.imwriteanimation(str(path), moving), f"OpenCV writes no animated {suffix}"
        images[f"{suffix} moving"] = path.read_bytes()
    return Good(images)


def truncated(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """Cut anywhere: what comes of half a transfer."""
    name = chance.choice(list(good.images))
    data = good.images[name]
    kept = chance.randrange(len(data))
    # Of some its end is nothing that anybody needs: the pictures after the first, a byte that fills up a chunk.
    return data[:kept], name != "png moving" and (name.startswith("jpeg") or kept < len(data) - 12)


def bits_flipped(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """One bit up to sixteen: a bad line, a bad disk."""
    data = bytearray(good.any(chance))
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data), False


def head_flipped(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """Bytes of its head are others, where sizes, tables and lengths stand."""
    data = bytearray(good.any(chance))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(min(len(data), 700))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(data), False


def spliced(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """A piece is missing, doubled, full of zeros or of noise, or another image's."""
    data = good.any(chance)
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    other = good.any(chance)
    piece = chance.choice(
        (b"", data[start:end] * 2, bytes(end - start), chance.randbytes(end - start), other[start:end])
    )
    return data[:start] + piece + data[end:], False


def forged_size(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """Its header says another size, of nothing up to 65535 x 65535."""
    width, height = chance.choice(SIDES), chance.choice(SIDES)
    # A few rows less than there are is a picture for libjpeg.
    return with_size(good.any(chance), width, height), width * height > 25_000_000 or width * height == 0


def chunks_forged(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """A PNG whose chunks are damaged, doubled, missing, out of order or too many, with sums that are right."""
    chunks = png_chunks(good.of(chance, "png"))
    way, at = chance.randrange(6), chance.randrange(len(chunks))
    kind, data = chunks[at]
    if way == 0 and data:
        damaged = bytearray(data)
        damaged[chance.randrange(min(len(data), 32))] = chance.randrange(256)
        chunks[at] = (kind, bytes(damaged))
    elif way == 1:
        chunks *= chance.choice((2, 50))
    elif way == 2:
        del chunks[at]
    elif way == 3:
        chance.shuffle(chunks)
    elif way == 4:
        chunks.insert(at, (chance.choice((b"acTL", b"fcTL", b"fdAT", b"tRNS", b"PLTE", b"eXIf")), chance.randbytes(26)))
    else:
        texts = chance.choice((1, 17, 400))
        chunks[1:1] = [(chance.choice((b"zTXt", b"iTXt")), text_of_zeros(200_000))] * texts
        return png_from(chunks), texts > 16
    return png_from(chunks), False


def scans_repeated(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """A JPEG of a few bytes that has its whole picture walked again and again."""
    scans, kind = chance.choice(SCANS), chance.choice(("empty", "again", "arithmetic"))
    # What has to be decoded is small, or the test would take as long as the attack.
    side = chance.choice((100, 300, 600)) if scans <= 50 else chance.choice((100, 1000, 5000))
    return jpeg_of_scans(kind, side, side, scans=scans), scans > 50 or kind == "empty"


def polyglot(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """Two things at once: one format's first bytes, and another format, or a program, behind them or within."""
    data, other = good.any(chance), good.any(chance)
    script = b"<script>alert(1)</script>" * chance.randint(1, 50)
    way = chance.randrange(4)
    if way == 0:
        return chance.choice(SIGNATURES) + other, True
    if way == 1:
        # Sound, with what a decoder never comes to: nobody has to refuse it.
        return data + chance.choice((other, script, b"PK\5\6" + bytes(18), bytes(5000))), False
    if way == 2:
        return chance.choice(STRANGERS) + data, True
    jpeg = good.of(chance, "jpeg")
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(script)) + script + jpeg[2:], False


def wrong_magic(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """No image, or one that begins as none."""
    way = chance.randrange(4)
    if way == 0:
        return b"", True
    if way == 1:
        return chance.randbytes(chance.choice((1, 3, 12, 40, 3000))), True
    if way == 2:
        return chance.choice(STRANGERS) + chance.randbytes(500), True
    return b"\0" * chance.randint(1, 8) + good.any(chance), True


def signature_only(chance: random.Random, good: Good) -> tuple[bytes, bool]:
    """The first bytes of an image, and noise."""
    return chance.choice(SIGNATURES) + chance.randbytes(chance.choice((0, 1, 8, 30, 500))), True


# How many of a hundred.
KINDS: dict[str, tuple[Make, int]] = {
    "truncated": (truncated, 20),
    "bits flipped": (bits_flipped, 20),
    "head flipped": (head_flipped, 15),
    "spliced": (spliced, 10),
    "forged size": (forged_size, 10),
    "chunks forged": (chunks_forged, 8),
    "scans repeated": (scans_repeated, 3),
    "polyglot": (polyglot, 6),
    "wrong magic": (wrong_magic, 4),
    "signature only": (signature_only, 4),
}


def bad_images(seed: int, count: int, good: Good) -> Iterator[BadImage]:
    """The corpus: the same for the same seed, and each by itself, whichever was made before it."""
    names, weights = list(KINDS), [weight for _, weight in KINDS.values()]
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        [kind] = chance.choices(names, weights)
        data, hopeless = KINDS[kind][0](chance, good)
        yield BadImage(kind, data, hopeless)
