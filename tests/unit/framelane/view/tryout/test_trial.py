"""The operators of a try-out, without the process around them."""

from typing import Any

import cv2
import numpy as np
import pytest

from consumers.view.pipelines.tryout import Tried
from framelane.view.tryout.messages import Entry, Make, Run
from framelane.view.tryout.trial import Trial
from streams.contract.images import decode


def picture(sequence: int, *, moving: bool = True) -> bytes:
    """A square on a ground, which moves with the sequence."""
    image = np.full((120, 160, 3), 90, np.uint8)
    x = (5 * sequence) % 120 if moving else 40
    cv2.rectangle(image, (x, 40), (x + 30, 80), (0, 0, 255), cv2.FILLED)
    return cv2.imencode(".jpg", image)[1].tobytes()


def run(trial: Trial, sequence: int, see: int | None = None, *, moving: bool = True) -> Tried:
    return trial.run(
        Run(camera_id="c", epoch="e", sequence=sequence, captured_at_ns=10**9 * sequence,
            data=picture(sequence, moving=moving), see=see)
    )  # fmt: skip


def make(*operators: tuple[int, str, dict[str, Any]], **pipeline: Any) -> Make:
    entries = [Entry(place=place, op=op, parameters=parameters) for place, op, parameters in operators]
    return Make(pipeline=pipeline, operators=entries, whole=True)


@pytest.fixture
def seen() -> list[int]:
    return []


@pytest.fixture
def trial(seen: list[int]) -> Trial:
    return Trial(at=seen.append)


def test_a_frame_goes_through_the_operators(trial: Trial, seen: list[int]) -> None:
    made = trial.make(make((0, "flip", {}), (2, "resize", {"width": 80})))
    assert made.wrong == []
    assert len(made.hash) == 8
    tried = run(trial, 1)
    assert tried.failed is None
    assert tried.after is not None
    assert (tried.after.width, tried.after.height, tried.after.content_type) == (80, 60, "image/jpeg")
    assert decode(tried.after.data).shape == (60, 80, 3)
    assert {"decode", "0:flip", "2:resize", "encode"} == set(tried.ms)
    assert seen == [0, 2]


def test_every_mistake_is_told_at_its_place(trial: Trial) -> None:
    made = trial.make(make((0, "blur", {"kernel": 4}), (3, "resize", {"widht": 9}), quality=101, name="A"))
    assert [(each.operator, each.key) for each in made.wrong] == [
        (0, "kernel"),
        (3, "widht"),
        (None, "name"),
        (None, "quality"),
    ]
    assert made.wrong[0].message == "= 4: expected an odd number from 3 to 255"


def test_an_operator_with_memory_learns_again_from_the_frames_before(trial: Trial) -> None:
    trial.make(make((0, "motion", {"warmup": 5})))
    for sequence in range(12):
        tried = run(trial, sequence)
    assert [event.type for event in tried.events] == ["motion"]
    # With other parameters, and on the very same frame, it needs no warming up.
    trial.make(make((0, "motion", {"warmup": 5, "min_area": 0.001})))
    assert [event.type for event in run(trial, 11).events] == ["motion"]
    trial.make(make((0, "motion", {"warmup": 5, "min_area": 0.9})))
    assert run(trial, 11).events == []


def test_a_frame_that_is_seen_twice_is_no_duplicate(trial: Trial) -> None:
    trial.make(make((0, "dedupe", {}), (1, "flip", {})))
    assert run(trial, 1, moving=False).after is not None
    assert run(trial, 1, moving=False).after is not None
    tried = run(trial, 2, moving=False)
    assert (tried.after, tried.filtered_by) == (None, 0)


def test_the_view_of_an_operator(trial: Trial) -> None:
    trial.make(make((0, "crop", {"x": 0.5, "w": 0.5}), (1, "motion", {})))
    tried = run(trial, 1, see=1)
    assert tried.before is not None
    assert (tried.before.width, tried.before.height) == (80, 120)
    assert tried.before.to_raw == pytest.approx([0.5, 0, 0.5, 0, 1, 0])


def test_what_fails_is_told_with_its_operator(trial: Trial) -> None:
    trial.make(make((0, "flip", {}), (1, "resize", {"height": 16000})))
    failed = run(trial, 1).failed
    assert failed is not None
    assert failed.operator == 1
    assert "a side may have 16384" in failed.message
    trial.make(make((0, "flip", {})))
    assert run(trial, 2).failed is None


def test_no_image(trial: Trial) -> None:
    trial.make(make())
    tried = trial.run(Run(camera_id="c", epoch="e", sequence=1, captured_at_ns=0, data=b"GIF89a"))
    assert tried.failed is not None
    assert tried.failed.operator is None
