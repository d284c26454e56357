"""What the gate knows of pictures that begin as others did before, and that it decides as if it did not."""

from collections.abc import Iterator
from pathlib import Path

import bad_images
import numpy as np
import pytest
import simplejpeg

from streams.contract import images
from streams.contract.errors import FrameError
from streams.contract.images import encode, inspect

NOISE = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    images._known.clear()
    yield
    images._known.clear()


def picture(width: int = 96, height: int = 64, *, quality: int = 90) -> bytes:
    return encode(NOISE.integers(0, 256, (height, width, 3), dtype=np.uint8), quality=quality)


def verdict(data: bytes) -> object:
    try:
        return inspect(data)
    except FrameError as error:
        return error.reason, str(error)


def test_the_header_of_a_cameras_next_picture_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = inspect(picture())
    monkeypatch.setattr(simplejpeg, "decode_jpeg_header", None)
    assert inspect(picture()) == first
    with pytest.raises(TypeError):
        inspect(picture(quality=50))


def test_limits_hold_for_what_is_known() -> None:
    inspect(picture())
    with pytest.raises(FrameError, match="6144 pixels, the limit is 6000"):
        inspect(picture(), max_pixels=6000)
    with pytest.raises(FrameError, match="the limit is 100"):
        inspect(picture(), max_bytes=100)


def test_whatever_is_done_to_a_known_picture_is_decided_as_if_it_were_not(tmp_path: Path) -> None:
    good = bad_images.good_images(tmp_path)
    corpus = [image.data for image in bad_images.bad_images(3, 3000, good)]
    # Every byte of what stands before the data, and every length up to a little behind it.
    known = picture()
    head = known.index(b"\xff\xda") + 14
    corpus += [known[:at] + bytes([known[at] ^ 0xFF]) + known[at + 1 :] for at in range(head + 20)]
    corpus += [known[:length] for length in range(head + 40)]
    cold = []
    for data in corpus:
        images._known.clear()
        cold.append(verdict(data))
    for data in [known, *good.images.values(), *corpus]:
        verdict(data)
    assert images._known
    assert [verdict(data) for data in corpus] == cold


def test_little_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_MOST_KNOWN", 4)
    for width in range(32, 48):
        inspect(picture(width))
    assert 0 < len(images._known) <= 4
    images._known.clear()
    with_comment = b"\xff\xd8\xff\xfe" + (images._LONGEST_KNOWN).to_bytes(2) + bytes(images._LONGEST_KNOWN - 2)
    inspect(with_comment + picture()[2:])
    assert not images._known


def test_a_thumbnails_scan_is_not_taken_for_the_pictures() -> None:
    thumbnail, whole = picture(32, 32), picture()
    inside = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2) + thumbnail
    assert inspect(whole[:2] + inside + whole[2:]).width == 96
    assert inspect(whole[:2] + inside + picture(48, 48)[2:]).width == 48
