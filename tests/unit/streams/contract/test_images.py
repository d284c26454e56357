"""The gate before the decoder, and the decoder."""

import struct
import time

import cv2
import numpy as np
import pytest

from streams.contract.errors import FrameError
from streams.contract.images import decode, encode, inspect

RNG = np.random.default_rng(1)
PICTURE = cv2.resize(RNG.integers(0, 255, (12, 16, 3), np.uint8), (64, 48))
JPEG, PNG, WEBP = (encode(PICTURE, kind) for kind in ("image/jpeg", "image/png", "image/webp"))


def forged_jpeg(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", height, width) + JPEG[at + 9 :]


def forged_png(width: int, height: int) -> bytes:
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


def with_orientation(value: int, *, little: bool = True) -> bytes:
    order = "<" if little else ">"
    tiff = (b"II*\0" if little else b"MM\0*") + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)
    segment = b"Exif\0\0" + tiff
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + JPEG[2:]


@pytest.mark.parametrize(("data", "kind"), [(JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp")])
def test_each_format_is_recognized_and_decoded(data: bytes, kind: str) -> None:
    header = inspect(data)
    assert (header.content_type, header.width, header.height) == (kind, 64, 48)
    assert decode(data).shape == (48, 64, 3)
    assert decode(data, mode="gray").shape == (48, 64)


@pytest.mark.parametrize("quality", [10, 100])
def test_lossy_and_lossless_webp_have_their_size_read(quality: int) -> None:
    data = cv2.imencode(".webp", PICTURE, [cv2.IMWRITE_WEBP_QUALITY, quality + 1])[1].tobytes()
    assert (inspect(data).width, inspect(data).height) == (64, 48)


def test_jpeg_pixels_are_those_of_opencv() -> None:
    assert np.array_equal(decode(JPEG), cv2.imdecode(np.frombuffer(JPEG, np.uint8), cv2.IMREAD_COLOR))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("little", [True, False])
def test_exif_orientation_is_applied_as_opencv_does(orientation: int, little: bool) -> None:
    data = with_orientation(orientation, little=little)
    assert np.array_equal(decode(data), cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["color", "gray"])
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_jpeg_is_decoded_at_a_reduced_scale_as_opencv_does(scale: int, mode: str, orientation: int) -> None:
    data = with_orientation(orientation)
    flag = getattr(cv2, f"IMREAD_REDUCED_{'COLOR' if mode == 'color' else 'GRAYSCALE'}_{scale}")

    image = decode(data, scale=scale, mode=mode)  # type: ignore[arg-type]

    assert np.array_equal(image, cv2.imdecode(np.frombuffer(data, np.uint8), flag))
    assert image.shape[:2] == ((48 // scale, 64 // scale) if orientation == 1 else (64 // scale, 48 // scale))


@pytest.mark.parametrize("data", [PNG, WEBP], ids=["PNG", "WebP"])
def test_other_formats_have_no_reduced_scale(data: bytes) -> None:
    assert decode(data, scale=4).shape == (48, 64, 3)
    assert not inspect(data).scales and inspect(JPEG).scales


def test_the_header_tells_colour_and_orientation() -> None:
    gray = inspect(encode(PICTURE[:, :, 0].copy()))
    turned = inspect(with_orientation(8))

    assert (gray.colorspace, gray.orientation) == ("Gray", 1)
    assert (turned.colorspace, turned.orientation, turned.upright) == ("YCbCr", 8, (48, 64))


def test_16_bit_png_is_reduced_to_8() -> None:
    data = cv2.imencode(".png", PICTURE.astype(np.uint16) * 257)[1].tobytes()
    assert np.array_equal(decode(data), PICTURE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(100), "not_an_image"),
        (b"\x00\x00\x00\x20ftypavif" + bytes(100), "not_an_image"),
        (b"II*\0" + bytes(100), "not_an_image"),
        (JPEG[:20], "undecodable"),
        (JPEG[:-200], "undecodable"),
        (JPEG[:-2], "undecodable"),
        (PNG[:20], "undecodable"),
        (PNG[: len(PNG) // 2], "undecodable"),
        (WEBP[:18], "undecodable"),
        (forged_jpeg(65500, 65500), "too_many_pixels"),
        (forged_jpeg(4000, 3000), "undecodable"),
        (forged_jpeg(0, 100), "undecodable"),
        (forged_png(12000, 12000), "too_many_pixels"),
    ],
)
def test_bad_images_are_refused_with_their_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FrameError) as refused:
        decode(data)
    assert refused.value.reason == reason


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = cv2.imencode(".png", np.zeros((12000, 12000), np.uint8))[1].tobytes()
    started = time.process_time()
    with pytest.raises(FrameError, match="144000000 pixels"):
        decode(bomb)
    # Decoding it takes about half a second and 430 MB; looking at its header takes microseconds.
    assert time.process_time() - started < 0.05


def test_the_limits_can_be_set() -> None:
    with pytest.raises(FrameError, match="the limit is 3071"):
        inspect(JPEG, max_pixels=64 * 48 - 1)
    with pytest.raises(FrameError, match="the limit is 10"):
        inspect(JPEG, max_bytes=10)


@pytest.mark.parametrize(
    "image",
    [
        None,
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_what_is_no_image_is_not_encoded(image: object) -> None:
    with pytest.raises(FrameError) as refused:
        encode(image)  # type: ignore[arg-type]
    assert refused.value.reason == "bad_result"
