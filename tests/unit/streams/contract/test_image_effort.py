"""Images whose bytes ask for more work than their pixels: refused before anything is decoded."""

import cv2
import numpy as np
import pytest
from forged_images import jpeg_of_scans, png_chunks, png_from, text_of_zeros

from streams.contract.errors import FrameError
from streams.contract.image_effort import MAX_SCANS, MAX_SEGMENTS, MAX_TEXTS
from streams.contract.images import decode, inspect

PICTURE = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8), (320, 240))
SCAN = b"\xff\xda"


def encoded(suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, PICTURE, list(options))[1].tobytes()


def refused(data: bytes) -> str:
    with pytest.raises(FrameError) as found:
        inspect(data)
    assert (found.value.reason, found.value.stage) == ("undecodable", "gate")
    return str(found.value)


@pytest.mark.parametrize("kind", ["empty", "again", "arithmetic"])
def test_a_jpeg_of_many_scans_is_refused(kind: str) -> None:
    # 25 megapixels, walked 100,000 times: minutes.
    assert "scans" in refused(jpeg_of_scans(kind, 5000, 5000, scans=100_000))
    assert "scans" in refused(jpeg_of_scans(kind, 8, 8, scans=MAX_SCANS + 1))


def test_an_ordinary_jpeg_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def looks(_: bytes) -> bool:
        raise AssertionError("this takes as long as the file is large")

    monkeypatch.setattr("streams.contract.image_effort._may_have_scans", looks)
    for data in (encoded(".jpg"), encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 4)):
        assert inspect(data).width == 320
    for data in (encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1), jpeg_of_scans("again", 8, 8, scans=2)):
        with pytest.raises(AssertionError):
            inspect(data)


def test_a_jpeg_of_as_many_scans_as_may_be_is_decoded() -> None:
    assert decode(jpeg_of_scans("again", 64, 48, scans=MAX_SCANS - 1)).shape == (48, 64, 3)


def test_scans_hide_behind_no_filler() -> None:
    many = jpeg_of_scans("again", 64, 48, scans=MAX_SCANS + 1)
    at = many.index(SCAN)
    for filler in (b"\xff" * 9, b"\xff\xd0", b"\xff\x01", b"\xff\xe0\x00\x04\xff\xd9", b"\xff\xfe\x00\x02"):
        assert "scans" in refused(many[:at] + filler + many[at:])
    assert "segments" in refused(many[:at] + b"\xff\xe0\x00\x02" * MAX_SEGMENTS + many[at:])


def test_what_is_no_scan_is_not_counted() -> None:
    plain = encoded(".jpg")
    within = SCAN * (MAX_SCANS + 1)
    # A thumbnail's, and what some phones put behind the picture.
    segment = b"\xff\xe1" + (2 + len(within)).to_bytes(2, "big") + within
    for data in (plain[:2] + segment + plain[2:], plain + within):
        assert decode(data).shape == PICTURE.shape


def test_a_jpeg_made_of_scans_is_as_good_as_another() -> None:
    assert decode(encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)).shape == PICTURE.shape


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_png_of_many_compressed_texts_is_refused(kind: bytes) -> None:
    head, *rest = png_chunks(encoded(".png"))
    text = (kind, text_of_zeros(1000))
    assert "texts" in refused(png_from([head, *[text] * (MAX_TEXTS + 1), *rest]))
    # Between and behind its data, too.
    assert "texts" in refused(png_from([head, *rest[:-1], *[text] * (MAX_TEXTS + 1), rest[-1]]))


def test_a_png_with_some_texts_is_decoded() -> None:
    head, *rest = png_chunks(encoded(".png"))
    texts = [(b"zTXt", text_of_zeros(1000))] * MAX_TEXTS + [(b"tEXt", b"k\0v")] * 100
    assert decode(png_from([head, *texts, *rest])).shape == PICTURE.shape
    # What is behind the end nobody reads.
    behind = png_from([(b"zTXt", b"")] * (MAX_TEXTS + 1))[8:]
    assert decode(encoded(".png") + behind).shape == PICTURE.shape
