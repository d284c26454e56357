from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from frame_support import CAPTURED_AT_NS, flat, frame_of, picture, run

from streams.contract.images import Image
from streams.operators.checks import ParameterError
from streams.operators.timestamp import Timestamp, time_text

GROUND = (90, 90, 90)


def written(image: Image) -> tuple[int, int, int, int]:
    """First and last column and row of what is not ground."""
    ys, xs = np.nonzero((image != GROUND).any(axis=2))
    return int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())


@pytest.mark.parametrize(
    ("format", "zone", "text"),
    [
        ("%Y-%m-%d %H:%M:%S.%3f %Z", "UTC", "2026-01-02 03:04:05.678 UTC"),
        ("%Y-%m-%d %H:%M:%S.%f%z", "Europe/Berlin", "2026-01-02 04:04:05.678900+0100"),
        ("%d.%m.%y %I:%M day %j", "America/New_York", "01.01.26 10:04 day 001"),
        ("100%% at %H, not %%3f", "UTC", "100% at 03, not %3f"),
    ],
)
def test_the_text_is_exact(format: str, zone: str, text: str) -> None:
    assert time_text(CAPTURED_AT_NS, format, ZoneInfo(zone)) == text


def test_nothing_is_rounded_up() -> None:
    assert time_text(1_767_323_045_999_999_999, "%S.%3f %f", UTC) == "05.999 999999"


def test_summer_has_another_offset() -> None:
    july = 1_783_000_000_000_000_000

    assert time_text(july, "%H %Z", ZoneInfo("Europe/Berlin")) == "15 CEST"


@pytest.mark.parametrize("position", ["top_left", "top_right", "bottom_left", "bottom_right"])
@pytest.mark.parametrize("background", [True, False])
def test_it_stands_in_its_corner(position: str, background: bool) -> None:
    operator = Timestamp(position=position, background=background)  # type: ignore[arg-type]

    left, right, top, bottom = written(run(operator, flat(640, 480, GROUND)))

    # Without the strip, a few pixels remain between the letters and the edge.
    at_left, at_right, at_top, at_bottom = left <= 6, right >= 633, top <= 6, bottom >= 466
    assert (at_left, at_right) == (position.endswith("left"), position.endswith("right"))
    assert (at_top, at_bottom) == (position.startswith("top"), position.startswith("bottom"))


def test_letters_grow_with_the_picture_and_with_scale() -> None:
    def height(operator: Timestamp, size: tuple[int, int]) -> int:
        _, _, top, bottom = written(run(operator, flat(*size, GROUND)))
        return bottom - top + 1

    usual = height(Timestamp(), (1280, 720))

    assert 1.7 < height(Timestamp(scale=2), (1280, 720)) / usual < 2.3
    assert 1.7 < height(Timestamp(), (2560, 1440)) / usual < 2.3


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("background", [True, False])
def test_it_is_readable_on_any_ground(shade: int, background: bool) -> None:
    image = run(Timestamp(background=background), flat(640, 480, shade))

    part = image[460:, :200]
    assert part.max() == 255 and part.min() <= 32
    assert (part == 255).sum() > 150 and (part <= 40).sum() > 150


def test_a_second_later_is_another_picture_and_the_same_time_is_the_same() -> None:
    frame, timestamp = frame_of(picture(320, 240)), Timestamp().open()
    later = frame.changed(captured_at_ns=CAPTURED_AT_NS + 10**9)

    first, again, second = timestamp(frame), timestamp(frame), timestamp(later)

    assert first is not None and again is not None and second is not None
    assert np.array_equal(first.image, again.image) and not np.array_equal(first.image, second.image)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"format": ""}, "timestamp: format = .*: expected up to 64 ASCII letters with %Y"),
        ({"format": "%Y %A"}, "timestamp: format = "),
        ({"format": "%Y %"}, "timestamp: format = "),
        ({"format": "%H Uhr früh"}, "timestamp: format = "),
        ({"format": "%H\n%M"}, "timestamp: format = "),
        ({"zone": "Europe/Atlantis"}, 'timestamp: zone = "Europe/Atlantis": expected "UTC" or .* install tzdata'),
        ({"zone": "Europe"}, "timestamp: zone = "),
        ({"zone": "../etc/passwd"}, "timestamp: zone = "),
        ({"zone": ""}, "timestamp: zone = "),
        ({"position": "middle"}, "timestamp: position = "),
        ({"scale": 0.0}, "timestamp: scale = 0.0: expected a number from 0.25 to 10"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Timestamp(**parameters)  # type: ignore[arg-type]
