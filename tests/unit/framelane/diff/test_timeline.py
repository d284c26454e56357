import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from framelane.diff.outcome import CameraOutcome, Mark
from framelane.diff.timeline import BINS, legend, ticks, timeline

S = 1_000_000_000
T0 = 1_778_312_000 * S


def camera(**marks: list[int]) -> CameraOutcome:
    """600 frames, one a second, and marks at these seconds."""
    found = CameraOutcome(times_ns=[T0 + n * S for n in range(600)])
    for kind, seconds in marks.items():
        found.marks[kind] = [Mark(T0 + at * S, ("gate-1", "e1", at)) for at in seconds]
    return found


def titles(svg: str, kind: str) -> list[str]:
    groups = ElementTree.fromstring(svg).findall(f"g[@class='{kind}']")
    return [group.findtext("title") or "" for group in groups]


def test_it_is_sound_and_says_in_words_what_it_shows() -> None:
    root = ElementTree.fromstring(timeline("gate-1", camera(missing=[1, 2, 300], events=[7]), number=4))

    assert root.get("role") == "img"
    named = {each.get("id"): each.text for each in root}
    assert [named[each] for each in (root.get("aria-labelledby") or "").split()] == [
        "Timeline of gate-1",
        "From 2026-05-09 07:33:20.000 to 2026-05-09 07:43:19.000 UTC: 3 missing, 0 extra, 0 pictures, 1 events.",
    ]


def test_marks_that_lie_together_are_one_with_their_count() -> None:
    svg = timeline("gate-1", camera(missing=[0, 1, 300], extra=[599]), number=0)

    # 600 s are 120 bins of 5 s.
    assert titles(svg, "missing") == [
        "missing: 2, 2026-05-09 07:33:20.000 to 2026-05-09 07:33:21.000",
        "missing: 1, 2026-05-09 07:38:20.000",
    ]
    assert titles(svg, "extra") == ["extra: 1, 2026-05-09 07:43:19.000"]
    assert titles(svg, "pictures") == []


def test_each_kind_has_a_shape_of_its_own() -> None:
    svg = timeline("gate-1", camera(missing=[9], extra=[9], pictures=[9], events=[9]), number=0)
    groups = [each for each in ElementTree.fromstring(svg) if each.tag == "g"]

    # Relative to the lane: what a shape is, and not where.
    shapes = set()
    for group in groups:
        points = [float(each) for each in re.findall(r"[\d.]+", group[1].get("points") or "")]
        low = min(points[1::2], default=0)
        shapes.add((group[1].tag, len(points), points[1::2].count(low)))
    assert len(shapes) == 4


def test_a_million_marks_make_a_small_drawing() -> None:
    found = CameraOutcome(times_ns=[T0 + n * S for n in range(100_000)])
    found.marks["pictures"] = [Mark(at, ("gate-1", "e1", 0)) for at in found.times_ns]
    svg = timeline("gate-1", found, number=0)

    assert len(titles(svg, "pictures")) == BINS
    assert len(svg) < 60_000


@pytest.mark.parametrize("span_s", [0, 0.4, 3, 59, 600, 3600, 86_400, 30 * 86_400])
def test_ticks_are_few_round_and_within(span_s: float) -> None:
    last = T0 + int(span_s * S)
    found = ticks(T0, last)

    assert 1 <= len(found) <= 6
    assert all(T0 <= each <= last for each in found)
    assert all(b > a for a, b in pairwise(found))


def test_one_frame_alone_has_a_timeline() -> None:
    found = CameraOutcome(times_ns=[T0])
    found.marks["missing"] = [Mark(T0, ("gate-1", "e1", 0))]

    assert titles(timeline("gate-1", found, number=0), "missing") == ["missing: 1, 2026-05-09 07:33:20.000"]


def test_the_legend_names_every_shape() -> None:
    assert [each[-1].tail or each.findtext(".") for each in ElementTree.fromstring(legend())] == [
        " missing: in A, not in B",
        " extra: in B, not in A",
        " picture changed",
        " events changed",
    ]
