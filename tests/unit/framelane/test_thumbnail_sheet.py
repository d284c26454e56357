import numpy as np
import pytest

from framelane.thumbnail_sheet import Thumbnail, thumbnail_sheet

GREEN = (40, 200, 60)


def camera(name: str, *, shown: bool = True) -> Thumbnail:
    picture = np.full((240, 320, 3), GREEN, np.uint8) if shown else None
    return Thumbnail(camera_id=name, about="320x240, 10 fps, h264" if shown else "it is away " * 60, picture=picture)


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (4, 4, 1), (5, 4, 2), (64, 4, 16)])
def test_four_in_a_row(count: int, columns: int, rows: int) -> None:
    sheet = thumbnail_sheet([camera(f"c{index}") for index in range(count)], title="t", subtitle="s")
    assert sheet.shape == (72 + rows * (56 + 225 + 20) + 32 - 20, 64 + columns * 420 - 20, 3)
    pictures = (sheet == GREEN).all(axis=2).sum()
    assert pictures == pytest.approx(count * 300 * 225, rel=0.01)


def test_where_there_is_no_picture_stands_why() -> None:
    sheet = thumbnail_sheet([camera("gone", shown=False)], title="t", subtitle="s")
    place = sheet[72 + 56 + 4 : 72 + 56 + 221, 36:428]
    # Light letters on the dark cell, however long it is.
    assert (place.max(axis=2) > 200).sum() > 500


def test_gray_pictures_are_shown() -> None:
    gray = Thumbnail(camera_id="g", about="", picture=np.full((240, 320), 128, np.uint8))
    assert ((thumbnail_sheet([gray], title="t", subtitle="") == 128).all(axis=2)).sum() > 60_000
