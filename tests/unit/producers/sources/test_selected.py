from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from producer_support import scene_images

from producers.sources.base import Grab, LeftOut, Selection
from producers.sources.selected import Selected, select
from streams.contract.errors import SettingError, SourceLost
from streams.contract.images import Image, encode, inspect

MS = 1_000_000


@dataclass
class Script:
    """A source of these pictures, one every 100 ms."""

    pictures: list[bytes | Image]
    live: bool = False
    fps: float = 10.0
    name: str = "script"
    damaged: int = 0
    lost: bool = False
    given: int = 0
    closed: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    def grab(self) -> Grab | None:
        if self.given == len(self.pictures):
            if self.lost:
                raise SourceLost("script: gone")
            return None
        at = self.given * 100 * MS
        self.given += 1
        return Grab(picture=self.pictures[self.given - 1], captured_at_ns=at, media_time_ns=None if self.live else at)

    def close(self) -> None:
        self.closed += 1


def all_of(selected: Selected) -> list[str]:
    """Each picture's type, or the reason why it was left out."""
    found = []
    while (grab := selected.grab()) is not None:
        found.append(grab.reason if isinstance(grab, LeftOut) else inspect(bytes(grab.picture)).content_type)
    return found


STILL = [encode(image) for image in scene_images(1)] * 30


def test_encoded_pictures_pass_byte_for_byte_and_arrays_become_jpeg() -> None:
    png = encode(scene_images(1)[0], "image/png")
    selected = Selected(Script([png, np.zeros((48, 64), np.uint8)]), Selection(quality=50))
    first, second = selected.grab(), selected.grab()
    assert isinstance(first, Grab)
    assert isinstance(second, Grab)
    assert first.picture == png
    assert inspect(bytes(second.picture)).content_type == "image/jpeg"
    assert (second.captured_at_ns, second.media_time_ns) == (100 * MS, 100 * MS)


def test_a_size_is_brought_about() -> None:
    selected = Selected(Script(list(scene_images(1))), Selection(size=(160, 120)))
    grab = selected.grab()
    assert isinstance(grab, Grab)
    assert inspect(bytes(grab.picture)).upright == (160, 120)


def test_a_size_that_no_picture_can_have_is_refused() -> None:
    with pytest.raises(SettingError, match="size"):
        Selected(Script([]), Selection(size=(0, 10)))


def test_a_file_is_thinned_out_by_its_own_times() -> None:
    found = all_of(Selected(Script(list(STILL)), Selection(max_fps=2)))
    # One that comes a little early counts as due; two a second in the mean.
    assert [index for index, word in enumerate(found) if word != "paced"] == [0, 4, 9, 14, 19, 24, 29]


def test_the_pace_of_a_file_thins_out_nothing() -> None:
    assert all_of(Selected(Script(list(STILL)), Selection(fps=1))) == ["image/jpeg"] * 30


def test_a_live_source_is_thinned_out_by_the_pace() -> None:
    assert all_of(Selected(Script(list(STILL), live=True), Selection(fps=0.01))) == ["image/jpeg"] + ["paced"] * 29


def test_a_source_that_keeps_its_pictures_is_not() -> None:
    class Keeping(Script):
        keeps = True

    assert all_of(Selected(Keeping(list(STILL), live=True), Selection(fps=0.01))) == ["image/jpeg"] * 30


def test_where_nothing_moves_only_the_first_and_the_kept_alive_pass() -> None:
    found = all_of(Selected(Script(list(STILL)), Selection(only_motion=True, keep_alive_s=1)))
    assert [index for index, word in enumerate(found) if word != "no_motion"] == [0, 10, 20]


def test_a_picture_that_is_none_is_left_out_with_what_is_wrong() -> None:
    left_out = Selected(Script([b"no picture"]), Selection(size=(160, 120))).grab()
    assert isinstance(left_out, LeftOut)
    assert left_out.reason == "not_an_image"
    assert left_out.detail


def test_damaged_pictures_are_told_of_before_the_source_is_lost() -> None:
    source = Script(list(STILL[:1]), damaged=2, lost=True)
    selected = Selected(source, Selection())
    reasons = [getattr(selected.grab(), "reason", "picture") for _ in range(3)]
    assert reasons == ["undecodable", "undecodable", "picture"]
    source.damaged = 3
    left_out = selected.grab()
    assert isinstance(left_out, LeftOut)
    with pytest.raises(SourceLost):
        selected.grab()


def test_damaged_pictures_are_told_of_at_the_end() -> None:
    class Late(Script):
        def grab(self) -> Grab | None:
            grab = super().grab()
            self.damaged = 1 if grab is None else 0
            return grab

    assert all_of(Selected(Late(list(STILL[:1])), Selection())) == ["image/jpeg", "undecodable"]


def test_what_makes_the_selection_itself_is_left_as_it_is() -> None:
    class Itself(Script):
        selected = True

    source = Itself([])
    assert select(source, Selection()) is source
    selected = select(Script([]), Selection())
    assert isinstance(selected, Selected)


def test_closing_closes_the_source() -> None:
    source = Script([])
    Selected(source, Selection()).close()
    assert source.closed == 1
