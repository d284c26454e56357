import pytest
from producer_support import noise
from video_support import without_tables

from producers.sources.whole_jpeg import whole_jpeg
from streams.contract.images import encode

JPEG = encode(noise(64, 48, seed=1))


@pytest.mark.parametrize("behind", [b"", b"\0", b"\xff\xd9", bytes(100)], ids=len)
def test_a_jpeg_stands_on_its_own_whatever_fills_the_rest(behind: bytes) -> None:
    assert whole_jpeg(JPEG + behind) == JPEG


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        JPEG[:-2],
        JPEG + JPEG,
        JPEG + JPEG[: len(JPEG) // 2],
        b"\0" + JPEG,
        JPEG[: len(JPEG) // 2] + JPEG,
        without_tables(JPEG),
    ],
    ids=["nothing", "cut", "two fields", "one and a half", "begins late", "begins anew", "no tables"],
)
def test_what_does_not_is_left_to_ffmpeg(packet: bytes) -> None:
    assert whole_jpeg(packet) is None
