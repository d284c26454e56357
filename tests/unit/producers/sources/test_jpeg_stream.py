"""JPEGs out of a stream of them."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from producer_support import noise, scene_images

from producers.sources.jpeg_stream import JpegSplitter
from streams.contract.images import encode


def jpeg(seed: int, *options: int, size: tuple[int, int] = (64, 48)) -> bytes:
    return cv2.imencode(".jpg", noise(*size, seed=seed), list(options))[1].tobytes()


def with_thumbnail(data: bytes) -> bytes:
    """A JPEG that holds another one in a segment, as EXIF does, with an end of its own."""
    inner = b"Exif\0\0" + jpeg(9, size=(16, 16))
    return data[:2] + b"\xff\xe1" + (2 + len(inner)).to_bytes(2, "big") + inner + data[2:]


PICTURES = [
    jpeg(1),
    jpeg(2, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    jpeg(3, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    with_thumbnail(jpeg(4)),
    jpeg(5, cv2.IMWRITE_JPEG_QUALITY, 100),
]
BETWEEN = [b"", b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n", b"\xff\xff", b"\0" * 9]


@settings(max_examples=80, deadline=None)
@given(
    order=st.lists(st.tuples(st.sampled_from(BETWEEN), st.sampled_from(PICTURES)), max_size=6),
    sizes=st.lists(st.integers(1, 4000), min_size=1, max_size=8),
)
def test_every_picture_comes_out_as_it_went_in_however_it_is_cut(
    order: list[tuple[bytes, bytes]], sizes: list[int]
) -> None:
    stream = b"".join(between + picture for between, picture in order)
    splitter, found, at, turn = JpegSplitter(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [each.jpeg for each in found] == [picture for _, picture in order]
    assert [each.before for each in found] == [between for between, _ in order]
    assert splitter.damaged == 0


@pytest.mark.parametrize("picture", PICTURES, ids=["baseline", "progressive", "restarts", "thumbnail", "best"])
@pytest.mark.parametrize("kept", [3, 20, 200, -2, -300])
def test_after_half_a_picture_the_next_one_is_found(picture: bytes, kept: int) -> None:
    splitter = JpegSplitter()
    other = jpeg(7, size=(32, 24))
    found = list(splitter.feed(picture[:kept] + b"\r\n--frame\r\n\r\n" + other + jpeg(8)))
    # Where a segment is cut, its length reaches into what follows, which then is lost with it; never more than that.
    assert found[-1].jpeg == jpeg(8)
    assert splitter.damaged >= 1
    assert all(each.jpeg in (other, jpeg(8)) for each in found)


def test_the_headers_behind_half_a_picture_are_those_of_the_next() -> None:
    found = list(JpegSplitter().feed(jpeg(1)[:-50] + b"\r\nX-Timestamp: 7\r\n\r\n" + jpeg(2)))
    assert [each.jpeg for each in found] == [jpeg(2)]
    assert found[0].before.endswith(b"\r\nX-Timestamp: 7\r\n\r\n")


def test_what_only_begins_like_pictures_costs_no_more_than_what_does_not() -> None:
    splitter = JpegSplitter()
    began = time.process_time()
    for _ in range(20):
        list(splitter.feed(b"\xff\xd8\xff\xe0\xff\xfa" * 10_000))
    list(splitter.feed(b"\0" * 70_000))
    assert [each.jpeg for each in splitter.feed(jpeg(1))] == [jpeg(1)]
    # Followed anew from each beginning, this took minutes.
    assert time.process_time() - began < 5


def test_what_is_no_picture_is_not_kept() -> None:
    splitter = JpegSplitter()
    for _ in range(100):
        assert list(splitter.feed(b"x" * 100_000)) == []
    assert len(splitter._buffer) + len(splitter._before) < 10_000


@pytest.mark.parametrize("filler", [b"\x11" * 50_000, b"\xff\x00" * 25_000], ids=["data", "stuffed"])
def test_a_picture_without_an_end_is_given_up(filler: bytes) -> None:
    splitter = JpegSplitter(max_bytes=200_000)
    list(splitter.feed(jpeg(1)[:-2]))
    for _ in range(20):
        list(splitter.feed(filler))
        assert len(splitter._buffer) < 400_000
    assert splitter.damaged >= 1
    assert [each.jpeg for each in splitter.feed(jpeg(2))] == [jpeg(2)]


@settings(max_examples=100, deadline=None)
@given(
    data=st.binary(max_size=2000), head=st.sampled_from([b"", b"\xff\xd8\xff", PICTURES[0][:300], PICTURES[1][:700]])
)
def test_any_bytes_do_no_harm(data: bytes, head: bytes) -> None:
    splitter = JpegSplitter(max_bytes=5000)
    list(splitter.feed(head + data))
    list(splitter.feed(b"\0" * 70_000))
    assert [each.jpeg for each in splitter.feed(PICTURES[0])][-1:] == [PICTURES[0]]


def test_pictures_decode() -> None:
    (found,) = JpegSplitter().feed(PICTURES[3])
    assert cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)


def part(jpeg: bytes, length: int) -> bytes:
    return b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (length, jpeg)


@pytest.mark.parametrize("wrong", [-1000, -1, 0, 1, 1000, 10**8])
@pytest.mark.parametrize("step", [1, 700, 10**6])
def test_lengths_that_are_wrong_lose_nothing(wrong: int, step: int) -> None:
    pictures = [encode(image) for image in scene_images(5, size=(160, 120))]
    data = b"".join(part(picture, len(picture) + (wrong if number else 0)) for number, picture in enumerate(pictures))
    data += b"--x--" + bytes(2000)
    splitter = JpegSplitter()
    found = [each.jpeg for at in range(0, len(data), step) for each in splitter.feed(data[at : at + step])]
    assert found == pictures
    assert splitter.damaged == 0


def test_a_length_that_is_right_saves_following_the_markers() -> None:
    picture = encode(scene_images(1)[0])
    # What no marker would lead through.
    odd = picture[:-2] + b"\xff\xd8\xff" + picture[-2:]
    assert [each.jpeg for each in JpegSplitter().feed(part(odd, len(odd)))] == [odd]


def test_half_a_picture_of_the_length_that_it_has_is_damaged() -> None:
    picture = encode(scene_images(1)[0])
    half = picture[: len(picture) // 2]
    splitter = JpegSplitter()
    data = part(half, len(half)) + part(picture, len(picture)) + part(picture, len(picture))
    assert [each.jpeg for each in splitter.feed(data)] == [picture, picture]
    assert splitter.damaged == 1
