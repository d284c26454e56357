import pytest
from producer_support import noise

from producers.fitting import QUALITIES, fit_picture
from producers.pictures import Picture, PictureSettings, prepare
from streams.contract.errors import FrameError
from streams.contract.images import decode, encode, inspect

ARRAY = prepare(noise(320, 240, seed=1), PictureSettings(quality=80))


def size_at(quality: int) -> int:
    return len(encode(noise(320, 240, seed=1), quality=quality))


def test_a_lower_quality_comes_before_fewer_pixels() -> None:
    found = fit_picture(ARRAY, max_bytes=len(ARRAY.data) - 1, below=80)
    assert (found.width, found.height, found.content_type) == (320, 240, "image/jpeg")
    assert len(found.data) == size_at(65)
    assert len(fit_picture(ARRAY, max_bytes=size_at(35), below=80).data) == size_at(35)


def test_fewer_pixels_where_the_lowest_quality_is_too_large() -> None:
    found = fit_picture(ARRAY, max_bytes=size_at(35) // 3, below=80)
    assert len(found.data) <= size_at(35) // 3
    assert (found.width, found.height) == inspect(found.data).upright
    assert found.width < 320
    assert abs(found.width / found.height - 4 / 3) < 0.05
    assert decode(found.data).shape == (found.height, found.width, 3)


def test_a_picture_of_the_lowest_quality_loses_pixels_only() -> None:
    low = prepare(noise(320, 240, seed=1), PictureSettings(quality=20))
    found = fit_picture(low, max_bytes=len(low.data) - 1, below=20)
    assert (found.width, found.height) == (256, 192)


@pytest.mark.parametrize("content_type", ["image/png", "image/webp", "image/jpeg"])
def test_bytes_become_a_smaller_jpeg(content_type: str) -> None:
    data = encode(noise(320, 240, seed=1), content_type, quality=100)
    picture = Picture(data=data, content_type=content_type, width=320, height=240)
    found = fit_picture(picture, max_bytes=len(data) // 2, below=QUALITIES[-1])
    assert inspect(found.data).content_type == found.content_type == "image/jpeg"
    assert len(found.data) <= len(data) // 2


@pytest.mark.parametrize("max_bytes", [10, 0, -300])
def test_what_no_picture_can_be_is_said(max_bytes: int) -> None:
    with pytest.raises(FrameError, match=f"no picture fits into {max_bytes} bytes") as caught:
        fit_picture(ARRAY, max_bytes=max_bytes, below=80)
    assert caught.value.reason == "too_large"
