"""One pipeline that runs new settings and those that are live on the same frames."""

from typing import Any

import pytest
from frame_support import encoded_frame, picture

from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.images import decode, inspect
from streams.contract.status import ShadowFigures
from streams.pipeline import Pipeline
from streams.pipeline_settings import PipelineSettings, quick_pipeline
from streams.shadow_pipeline import ShadowPipeline
from streams.shadow_settings import Shadow


def settings(*ops: str, **more: Any) -> PipelineSettings:
    return quick_pipeline(ops, name="gate", **more)


def shadow_of(live: PipelineSettings, candidate: PipelineSettings) -> ShadowPipeline:
    return ShadowPipeline(Shadow(candidate=candidate, live=live))


def frame(sequence: int = 0, *, camera_id: str = "gate-1", seed: int = 1) -> Frame:
    made = encoded_frame(picture(320, 240, seed=seed), camera_id=camera_id, sequence=sequence)
    # As the worker hands it over: the gate has looked at it.
    return made.changed(header=inspect(made.data))


def figures(made: ShadowPipeline, *frames: Frame) -> ShadowFigures:
    run = made.open()
    for each in frames:
        run(each)
    return made.figures()


def test_what_comes_out_is_the_new_settings_alone() -> None:
    live, candidate = settings("flip", "resize:width=160"), settings("resize:width=160", quality=30)

    outcome = shadow_of(live, candidate).open()(frame())

    alone = Pipeline(candidate).open()(frame())
    assert outcome.frame is not None and alone.frame is not None
    assert outcome.frame.data == alone.frame.data
    assert outcome.frame.source == "/pipelines/gate-shadow"
    assert outcome.frame.pipeline == f"gate-shadow@{candidate.hash}"
    assert outcome.seconds.keys() == alone.seconds.keys()


def test_the_same_settings_differ_in_nothing() -> None:
    found = figures(shadow_of(settings("resize:width=160"), settings("resize:width=160")), frame(), frame(1))

    assert (found.live, found.shadow) == (
        settings("resize:width=160").label,
        f"gate-shadow@{settings('resize:width=160').hash}",
    )
    assert (found.frames, found.only_live, found.only_shadow, found.changed_events) == (2, 0, 0, 0)
    assert (found.pictures, found.psnr_mean_db, found.psnr_lowest_db) == (1, 100.0, 100.0)


def test_other_pictures_are_measured() -> None:
    found = figures(shadow_of(settings(), settings("grayscale")), frame())

    assert found.pictures == 1
    assert found.psnr_mean_db == found.psnr_lowest_db
    assert found.psnr_mean_db is not None and 3 < found.psnr_mean_db < 40


def test_each_decodes_as_it_would_alone() -> None:
    # A plan decodes a quarter of the picture for the one and all of it for the other.
    live, candidate = settings("blur:kernel=3"), settings("resize:width=80")

    outcome = shadow_of(live, candidate).open()(frame())

    alone = Pipeline(candidate).open()(frame())
    assert outcome.frame is not None and alone.frame is not None
    assert (decode(outcome.frame.data) == decode(alone.frame.data)).all()


def test_cameras_of_only_one_of_both_are_a_difference() -> None:
    live, candidate = settings(cameras=["a", "b"]), settings(cameras=["b", "c"])
    made = shadow_of(live, candidate)

    # Nobody wants the last one, which is no frame that both have seen.
    found = figures(made, *(frame(camera_id=name) for name in ("a", "b", "c", "d")))

    assert all(made.settings.wants(name) for name in ("a", "b", "c"))
    assert (found.frames, found.only_live, found.only_shadow) == (3, 1, 1)


@pytest.mark.parametrize("fails", ["live", "shadow", "both"])
def test_who_fails_has_made_nothing(fails: str) -> None:
    bad = "trial_operators:Misbehave:camera='gate-1'"
    live = settings(bad if fails in ("live", "both") else "flip")
    candidate = settings(bad if fails in ("shadow", "both") else "flip")
    made = shadow_of(live, candidate)
    run = made.open()

    if fails == "live":
        assert run(frame()).frame is not None
    else:
        with pytest.raises(FrameError, match="this operator always raises"):
            run(frame())

    found = made.figures()
    expected = {"live": (0, 1), "shadow": (1, 0), "both": (0, 0)}[fails]
    assert (found.frames, found.only_live, found.only_shadow) == (1, *expected)


def test_both_remember() -> None:
    # It tells of the frames that it has seen.
    made = shadow_of(settings("trial_operators:Remembers"), settings("trial_operators:Remembers", quality=30))
    run = made.open()
    assert made.has_memory and made.memory_frames == 100

    for number in range(3):
        run.remember(frame(number))
    outcome = run(frame(3))

    assert [found.event.data for found in outcome.events] == [{"sequences": [0, 1, 2, 3]}]
    assert (made.figures().frames, made.figures().changed_events) == (1, 0)


@pytest.mark.parametrize("remembers", ["live", "shadow"])
def test_a_memory_of_one_makes_it_one_with_memory(remembers: str) -> None:
    versions = [settings("trial_operators:InOrder"), settings("flip")]
    live, candidate = versions if remembers == "live" else versions[::-1]

    assert shadow_of(live, candidate).has_memory


def test_what_one_cannot_remember_the_other_does() -> None:
    live, candidate = (
        settings("trial_operators:Misbehave:camera='gate-1'", "motion"),
        settings("trial_operators:InOrder"),
    )
    run = shadow_of(live, candidate).open()

    run.remember(frame(0))
    run.remember(frame(1))

    assert run(frame(2)).frame is not None
    with pytest.raises(FrameError, match="7 after 2"):
        run(frame(7))


def test_figures_a_minute() -> None:
    live, candidate = settings("shadow_operators:Mark:every=2"), settings("shadow_operators:Mark:every=4")

    found = figures(shadow_of(live, candidate), *(frame(number) for number in range(8)))

    assert (found.frames, found.changed_frames, found.changed_events) == (8, 2, 2)
    assert found.changed_events_per_minute == pytest.approx(2 * 60 / found.seconds, rel=0.1)
