from collections.abc import Callable

import cv2
import numpy as np
import pytest
from producer_support import noise, scene_images

from producers.stamp import Stamp, camera_hash, read_stamp, stamp
from streams.contract.errors import SettingError
from streams.contract.images import Image, decode, encode

SIZES = [(320, 240), (640, 480), (800, 600), (1280, 720), (1920, 1080), (1001, 667)]
SEQUENCES = [0, 1, 455, 65_535, 2**24 - 1]


def half(image: Image) -> Image:
    height, width = image.shape[:2]
    return np.asarray(cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def blur(kernel: int) -> Callable[[Image], Image]:
    return lambda image: np.asarray(cv2.GaussianBlur(image, (kernel, kernel), 0), dtype=np.uint8)


def gray(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def jpeg_50(image: Image) -> Image:
    return decode(encode(image, quality=50))


def all_at_once(image: Image) -> Image:
    return gray(jpeg_50(blur(9)(half(image))))


TRANSFORMATIONS: dict[str, Callable[[Image], Image]] = {
    "none": lambda image: image,
    "half": half,
    "blur 5": blur(5),
    "blur 9": blur(9),
    "median 5": lambda image: np.asarray(cv2.medianBlur(image, 5), dtype=np.uint8),
    "jpeg 50": jpeg_50,
    "gray": gray,
    "squeezed": lambda image: np.asarray(cv2.resize(image, (333, 417), interpolation=cv2.INTER_AREA), dtype=np.uint8),
    "all at once": all_at_once,
}


def painted(size: tuple[int, int], sequence: int, camera_id: str = "gate-1") -> Image:
    image = noise(*size, seed=sequence % 7)
    stamp(image, camera_id, sequence)
    return image


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_is_read_back_after(transformation: str, size: tuple[int, int]) -> None:
    for sequence in SEQUENCES:
        found = read_stamp(TRANSFORMATIONS[transformation](painted(size, sequence)))
        assert found == Stamp(camera_hash=camera_hash("gate-1"), sequence=sequence)


def test_is_drawn_into_gray_pictures() -> None:
    image = np.full((480, 640), 90, np.uint8)
    stamp(image, "yard", 12)
    assert read_stamp(image) == Stamp(camera_hash=camera_hash("yard"), sequence=12)


def test_the_sequence_wraps_after_24_bits() -> None:
    found = read_stamp(painted((640, 480), 2**24 + 3))
    assert found is not None
    assert found.sequence == 3


def test_names_the_camera() -> None:
    hashes = {camera_hash(f"cam-{number}") for number in range(8)}
    assert len(hashes) == 8
    for camera_id in ("cam-0", "cam-1"):
        found = read_stamp(painted((640, 480), 5, camera_id))
        assert found == Stamp(camera_hash=camera_hash(camera_id), sequence=5)


def test_a_damaged_stamp_is_not_misread() -> None:
    image = painted((640, 480), 77)
    # One cell turned over: the checksum has to notice.
    height, width = image.shape[:2]
    cell = image[height - 30 : height - 22, width - 36 : width - 24]
    flipped = image.copy()
    flipped[height - 40 : height - 20, width - 40 : width - 20] = 255 - int(cell.mean() > 127) * 255
    assert read_stamp(image) is not None
    assert read_stamp(flipped) is None


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_read_where_there_is_none(size: tuple[int, int]) -> None:
    flat = np.full((size[1], size[0], 3), 127, np.uint8)
    slope = np.tile(np.linspace(0, 255, size[0], dtype=np.uint8), (size[1], 1))
    checker = (np.indices((size[1], size[0])).sum(axis=0) // 20 % 2 * 255).astype(np.uint8)
    assert [read_stamp(image) for image in (flat, slope, checker)] == [None, None, None]


def test_nothing_is_read_in_noise_of_any_grain() -> None:
    found = 0
    for seed in range(300):
        fine = noise(80, 60, seed=seed)
        # From specks to blobs as large as a cell: those are the ones that look like bits.
        grain = (80, 160, 320, 640)[seed % 4]
        image = cv2.resize(fine, (grain * 4, grain * 3), interpolation=cv2.INTER_NEAREST)
        found += read_stamp(np.asarray(image, dtype=np.uint8)) is not None
    assert found == 0


def test_nothing_is_read_when_the_stamp_is_cut_off() -> None:
    (image,) = scene_images(1, size=(640, 480))
    assert read_stamp(image) is not None
    assert read_stamp(np.ascontiguousarray(image[:360])) is None
    assert read_stamp(np.ascontiguousarray(image[:, ::-1])) is None


def test_a_picture_that_is_too_small_is_refused() -> None:
    with pytest.raises(SettingError, match=r"100x80.*160x120"):
        stamp(np.zeros((80, 100, 3), np.uint8), "gate-1", 0)
    assert read_stamp(np.zeros((8, 8, 3), np.uint8)) is None
