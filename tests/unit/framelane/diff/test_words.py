import math

from framelane.diff.asked import Asked, Side
from framelane.diff.likeness import Likeness
from framelane.diff.outcome import CameraOutcome, Mark, Outcome, SideOutcome
from framelane.diff.words import described, remarks, row, stretches, total, values, verdict

ASKED = Asked(sides=(Side(topic="a"), Side(topic="b")))


def marks(*names: tuple[str, int]) -> list[Mark]:
    return [Mark(0, ("gate-1", epoch, sequence)) for epoch, sequence in names]


def outcome(**cameras: CameraOutcome) -> Outcome:
    return Outcome((SideOutcome("a"), SideOutcome("b")), cameras=dict(cameras))


def test_frames_in_a_row_are_one_stretch() -> None:
    assert stretches(marks(("e2", 1), ("e1", 4), ("e1", 3), ("e1", 5), ("e1", 9), ("e2", 0), ("e1", 10))) == [
        "e1/3-5 (3)",
        "e1/9-10 (2)",
        "e2/0-1 (2)",
    ]
    assert stretches(marks(("e1", 7))) == ["e1/7"]
    assert stretches([]) == []


def test_the_figures_of_a_camera() -> None:
    camera = CameraOutcome(frames=[5, 4], events=[2, 3])
    camera.marks["missing"] = marks(("e1", 1), ("e1", 2))
    camera.marks["pictures"] = marks(("e1", 3))
    camera.letters[1]["operator_error"] = 1
    for psnr, enough in ((30.0, False), (50.0, True), (math.inf, True), (None, False)):
        camera.likenesses.add(Likeness(psnr), enough=enough)

    assert row("gate-1", camera) == [
        "gate-1",
        "5",
        "4",
        "2 (dead letters: operator_error 1)",
        "0",
        "1",
        "40.0 dB",
        "30.0 dB",
        "0",
        "2",
        "3",
    ]
    told = remarks(outcome(g=camera), Asked(sides=ASKED.sides, psnr=45))
    assert told == [
        "1 pictures differ by so little that their PSNR is 45 dB or more: the same",
        "1 pictures have other bytes, but the same pixels: the same",
        "1 changed pictures have no PSNR: another size, or they cannot be decoded",
    ]
    found = values(ASKED, outcome(g=camera))
    assert found["differs"] and found["missing"] == 2 and found["changed_pictures"] == 1
    assert found["cameras"]["g"]["lowest_psnr"] == 30
    assert found["cameras"]["g"]["dead_letters"] == {"a": {}, "b": {"operator_error": 1}}


def test_all_cameras_together() -> None:
    a, b = CameraOutcome(frames=[1, 2]), CameraOutcome(frames=[3, 4], events=[0, 1])
    a.likenesses.add(Likeness(20.0), enough=False)
    b.likenesses.add(Likeness(40.0), enough=False)
    b.marks["extra"] = marks(("e1", 1))
    found = total(outcome(a=a, b=b))

    assert (found.frames, found.events, found.count("extra")) == ([4, 6], [0, 1], 1)
    assert (found.likenesses.mean, found.likenesses.lowest) == (30, 20)
    assert (a.count("extra"), a.frames) == (0, [1, 2])


def test_the_verdict() -> None:
    same, other = CameraOutcome(frames=[2, 2]), CameraOutcome(frames=[2, 1])
    other.marks["missing"] = marks(("e1", 1))

    assert verdict(outcome()).startswith("nothing to compare")
    assert verdict(outcome(g=same)) == "the same: 2 and 2 frames of 1 camera"
    assert verdict(outcome(g=same, h=other)) == (
        "different: 4 and 3 frames of 2 cameras: 1 missing, 0 extra, 0 changed pictures, 0 with changed events"
    )


def test_what_was_compared_is_told() -> None:
    found = outcome(g=CameraOutcome(frames=[1, 1]))
    found.sides[0].source, found.sides[0].events = "/pipelines/night", "a.events"
    found.sides[1].source = "/cameras"
    found.sides[1].repeats, found.sides[1].others = 3, 2
    found.sides[1].refused["not_an_image"] = 1
    asked = Asked(sides=ASKED.sides, since_ns=0, psnr=0)

    assert described(asked, found) == {
        "A": "a (by night, events a.events)",
        "B": "b (raw frames)",
        "captured": "1970-01-01 00:00:00.000 UTC to the end",
        "pictures": "not compared",
    }
    assert remarks(found, asked) == [
        "pictures were not compared, as asked",
        "B: 3 repeats, counted once, 2 of other pipelines, left out, 1 refused (not_an_image)",
    ]
