import numpy as np
import pytest

from framelane.contact_sheet import Pair, contact_sheet
from streams.contract.images import Image

RED, GREEN = (30, 30, 220), (30, 220, 30)


def flat(colour: tuple[int, int, int], *, width: int = 640, height: int = 480) -> Image:
    return np.full((height, width, 3), colour, np.uint8)


def area(sheet: Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """x, y, width, height of what has exactly that colour."""
    rows, columns = np.nonzero((sheet == colour).all(axis=2))
    x, y = int(columns.min()), int(rows.min())
    return x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1


def test_raw_stands_above_processed_in_cells_of_one_size() -> None:
    sheet = contact_sheet({"gate-1": (flat(RED), flat(GREEN))})
    raw, processed = area(sheet, RED), area(sheet, GREEN)
    assert raw[0] == processed[0]
    assert raw[2:] == processed[2:] == (640, 480)
    assert processed[1] >= raw[1] + raw[3]


def test_another_aspect_is_letterboxed_not_stretched() -> None:
    sheet = contact_sheet({"gate-1": (flat(RED), flat(GREEN, width=1280, height=320))})
    width, height = area(sheet, GREEN)[2:]
    assert width == 640
    assert abs(width / height - 4) < 0.05


@pytest.mark.parametrize(("cameras", "columns"), [(1, 1), (4, 4), (5, 3), (8, 4), (9, 3), (16, 4)])
def test_wraps_into_even_rows(cameras: int, columns: int) -> None:
    marked: dict[str, Pair] = {f"cam-{each}": (flat((each + 1, 200, each)), None) for each in range(cameras)}
    sheet = contact_sheet(marked)
    corners = [area(sheet, (each + 1, 200, each))[:2] for each in range(cameras)]
    assert len({x for x, _ in corners}) == columns
    assert corners == sorted(corners, key=lambda corner: (corner[1], corner[0])), "in the order given"


def test_gray_and_missing_pictures_are_drawn() -> None:
    gray = np.full((48, 64), 77, np.uint8)
    sheet = contact_sheet({"gate-1": (gray, None), "gate-2": (None, None)})
    assert area(sheet, (77, 77, 77))[2] == 560
    assert (sheet.dtype, sheet.shape[2]) == (np.uint8, 3)
    with_text = contact_sheet({"gate-1": (None, None)})
    assert len(np.unique(with_text[150:400, 40:600].reshape(-1, 3), axis=0)) > 2, "the placeholder says something"


def test_a_long_name_stays_within_its_column() -> None:
    pairs: dict[str, Pair] = {"x" * 128: (None, None), "b": (None, None)}
    short: dict[str, Pair] = {"x": (None, None), "b": (None, None)}
    second_column = slice(32 + 560 + 5, None)
    assert np.array_equal(contact_sheet(pairs)[:, second_column], contact_sheet(short)[:, second_column])


def test_refuses_none_and_too_many() -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        contact_sheet({})
    with pytest.raises(ValueError, match="not 17"):
        contact_sheet({f"cam-{each}": (None, None) for each in range(17)})
