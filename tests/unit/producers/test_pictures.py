import numpy as np
import pytest
from producer_support import scene_images

from producers.pictures import PictureSettings, check_time, parse_size, prepare
from producers.stamp import read_stamp
from streams.contract.errors import FrameError, SettingError
from streams.contract.images import decode, encode

AS_IT_IS = PictureSettings()


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "image/webp"])
def test_bytes_pass_untouched(content_type: str) -> None:
    data = encode(scene_images(1)[0], content_type)
    ready = prepare(data, AS_IT_IS)
    assert ready.data == data
    assert (ready.content_type, ready.width, ready.height) == (content_type, 320, 240)
    assert prepare(data, PictureSettings(size=(320, 240))).data == data


def test_bytes_on_their_side_have_the_size_that_is_shown() -> None:
    plain = encode(scene_images(1)[0])
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + b"\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    data = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    ready = prepare(data, AS_IT_IS)
    assert ready.data == data
    assert (ready.width, ready.height) == (240, 320)
    assert decode(data).shape == (320, 240, 3)


def test_a_wanted_size_means_decoding_and_encoding_anew() -> None:
    data = encode(scene_images(2, size=(640, 480))[1], "image/png")
    ready = prepare(data, PictureSettings(size=(320, 200)))
    assert (ready.content_type, ready.width, ready.height) == ("image/jpeg", 320, 200)
    found = read_stamp(decode(ready.data))
    assert found is not None
    assert found.sequence == 1


@pytest.mark.parametrize("shape", [(48, 64, 3), (48, 64)])
def test_an_array_becomes_a_jpeg(shape: tuple[int, ...]) -> None:
    ready = prepare(np.full(shape, 100, np.uint8), AS_IT_IS)
    assert (ready.content_type, ready.width, ready.height) == ("image/jpeg", 64, 48)
    assert decode(ready.data).shape == (48, 64, 3)


def test_quality_costs_bytes() -> None:
    (image,) = scene_images(1)
    assert len(prepare(image, PictureSettings(quality=30)).data) < len(prepare(image, PictureSettings(quality=95)).data)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"", "empty"),
        (b"no picture at all", "not_an_image"),
        (np.zeros((4, 4, 3), np.float32), "bad_result"),
        (np.zeros((4, 4, 4), np.uint8), "bad_result"),
        (np.zeros((0, 4, 3), np.uint8), "bad_result"),
        (np.zeros((5000, 5001), np.uint8), "too_many_pixels"),
        (np.zeros((1, 65501), np.uint8), "too_many_pixels"),
        ("picture.jpg", "bad_result"),
    ],
)
def test_what_is_no_picture_is_refused(picture: object, reason: str) -> None:
    with pytest.raises(FrameError) as raised:
        prepare(picture, AS_IT_IS)  # type: ignore[arg-type]
    assert raised.value.reason == reason


def test_a_truncated_jpeg_is_found_when_it_has_to_be_decoded() -> None:
    data = encode(scene_images(1)[0])
    with pytest.raises(FrameError, match="decoded"):
        prepare(data[: len(data) // 2], PictureSettings(size=(64, 48)))


def test_wrong_settings_are_refused() -> None:
    for quality in (0, 101):
        with pytest.raises(SettingError, match=f"quality {quality}"):
            PictureSettings(quality=quality)
    for size in ((0, 5), (5001, 5000), (65501, 1)):
        with pytest.raises(SettingError, match=f"size {size[0]}x{size[1]}"):
            PictureSettings(size=size)


def test_a_picture_that_is_made_smaller_may_be_larger_than_readers_take() -> None:
    ready = prepare(np.zeros((5000, 5001), np.uint8), PictureSettings(size=(50, 40)))
    assert (ready.width, ready.height) == (50, 40)


def test_times_are_whole_numbers_that_a_header_can_carry() -> None:
    assert check_time(None, name="t") is None
    assert check_time(np.int64(7), name="t") == 7  # type: ignore[arg-type]
    for wrong in (-1, 1.5, 2**63, "7"):
        with pytest.raises(FrameError, match=f"captured_at_ns {wrong!r}: expected nanoseconds") as raised:
            check_time(wrong, name="captured_at_ns")  # type: ignore[arg-type]
        assert raised.value.reason == "bad_headers"


def test_a_size_as_it_is_written() -> None:
    assert parse_size("1280x720", setting="size") == (1280, 720)


@pytest.mark.parametrize("text", ["", "large", "1280X720", " 1x1", "0x0", "1x", "123456x1", "99999x99999", "70000x10"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"^size "):
        parse_size(text, setting="size")
