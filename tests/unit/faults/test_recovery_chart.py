"""The chart of a run: rates by camera, silence included, and a file that is a picture."""

from pathlib import Path

import cv2
from figures import Injury
from ledger import FrameName, Place
from reader import Arrival
from recovery_chart import draw, rates


def output(camera: str, n: int, at_s: float) -> Arrival:
    return Arrival(name=FrameName(camera, "e", n), source=Place(0, n), at_s=at_s)


def test_frames_per_second_of_each_camera_with_its_silence() -> None:
    arrivals = [output("a", 0, 100.0), output("a", 1, 100.4), output("a", 2, 101.6), output("b", 0, 100.6)]
    found = rates(arrivals, start_s=100.0)
    assert found == {
        "a": [(0.0, 4.0), (0.5, 0.0), (1.0, 0.0), (1.5, 2.0)],
        "b": [(0.5, 2.0), (1.0, 0.0), (1.5, 0.0)],
    }


def test_a_repeat_is_no_new_frame() -> None:
    assert rates([output("a", 0, 100.0), output("a", 0, 100.1)], start_s=100.0) == {"a": [(0.0, 2.0)]}


def test_it_is_written_as_a_picture_with_what_was_done_in_red(tmp_path: Path) -> None:
    arrivals = [output("a", n, 100 + n / 10) for n in range(100)]
    draw(arrivals, [], tmp_path / "plain.png", title="plain")
    draw(arrivals, [Injury(104.0, frozenset({0}), "kill", 106.0)], tmp_path / "killed.png", title="killed")
    plain, killed = (cv2.imread(str(tmp_path / name)) for name in ("plain.png", "killed.png"))
    assert plain is not None and killed is not None
    assert (_red(plain), _red(killed) > 1000) == (0, True)


def test_there_is_none_without_an_output(tmp_path: Path) -> None:
    letter = Arrival(name=None, source=Place(0, 0), at_s=1.0, reason="empty")
    draw([letter], [], tmp_path / "none.png", title="none")
    assert not (tmp_path / "none.png").exists()


def _red(picture: "cv2.typing.MatLike") -> int:
    blue, _, red = cv2.split(picture.astype(int))
    return int((red - blue > 20).sum())
