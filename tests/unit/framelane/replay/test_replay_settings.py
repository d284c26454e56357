"""What a replay makes of a pipeline's settings, and what it refuses."""

from dataclasses import replace

import pytest

from framelane.replay.settings import Period, Replay, check_replay, replayed
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError
from streams.pipeline_settings import PipelineSettings, quick_pipeline

PERIOD = Period(since="-2h", until="-1h", since_ns=1, until_ns=2)


def replay_of(settings: PipelineSettings, *, run_id: str = "r", cameras: tuple[str, ...] = ()) -> Replay:
    return Replay(pipeline=settings, period=PERIOD, cameras=CameraGlobs(cameras), run_id=run_id)


def test_nothing_goes_by_the_clock_and_all_goes_to_topics_of_its_own() -> None:
    live = quick_pipeline(["flip"], freshness="freshest", max_age_ms=500, max_fps=5.0)

    found = replayed(live, output="frames.replay.a")

    assert (found.freshness, found.max_age_ms, found.max_fps, found.plan) == ("every_frame", 0, 5.0, False)
    assert (found.output, found.events) == ("frames.replay.a", "frames.replay.a.events")
    assert (found.dead_letter, found.input) == ("frames.replay.a.dead-letter", live.input)


def test_topics_can_be_named() -> None:
    found = replayed(quick_pipeline(["flip"]), output="a", events="b", dead_letter="c", input="d", plan=True)

    assert (found.output, found.events, found.dead_letter, found.input, found.plan) == ("a", "b", "c", "d", True)


def test_a_pipeline_of_events_only_stays_one() -> None:
    settings = replayed(quick_pipeline(["motion"], output=""), output="a")

    assert settings.output == ""
    assert replay_of(settings).topics == ("a.events", "a.dead-letter")


def test_a_plan_that_is_turned_off_stays_off() -> None:
    assert not replayed(quick_pipeline(["flip"], plan=False), output="a", plan=True).plan


@pytest.mark.parametrize(("plan", "same"), [(True, True), (False, False)])
def test_the_label_tells_whether_pictures_are_decoded_by_the_plan(plan: bool, same: bool) -> None:
    live = quick_pipeline(["resize:width=32"])

    assert (replayed(live, output="a", plan=plan).label == live.label) == same


def test_cameras_are_those_of_the_pipeline_and_of_the_replay() -> None:
    settings = replayed(quick_pipeline(["flip"], cameras=["gate-*", "!gate-9"]), output="a")
    replay = replay_of(settings, cameras=("*-1", "*-9"))

    assert [each for each in ("gate-1", "gate-2", "gate-9", "yard-1") if replay.wants(each)] == ["gate-1"]


@pytest.mark.parametrize("key", ["input", "output", "events", "dead_letter"])
def test_topics_of_what_runs_live_are_refused(key: str) -> None:
    settings = replayed(quick_pipeline(["flip"]), output="mine")
    other = replace(quick_pipeline(["blur"], name="other"), **{key: "mine"})

    with pytest.raises(SettingError, match=rf"topic mine: is the {key} of pipeline 'other'"):
        check_replay(replay_of(settings), [other])
    check_replay(replay_of(settings), [quick_pipeline(["blur"])])


def test_a_group_of_what_runs_live_is_refused() -> None:
    settings = replayed(quick_pipeline(["flip"]), output="mine")

    with pytest.raises(SettingError, match=r"runs in group framelane-replay\.x"):
        check_replay(replay_of(settings, run_id="x"), [quick_pipeline(["flip"], group="framelane-replay.x")])


def test_stages_that_wait_for_others_are_refused() -> None:
    settings = replayed(quick_pipeline(["flip", "remote:listen='127.0.0.1:0'"]), output="mine")

    with pytest.raises(SettingError, match="operator 1, remote: waits for programs elsewhere"):
        check_replay(replay_of(settings), [])


@pytest.mark.parametrize("run_id", ["", "a/b", "a b", "x" * 201])
def test_a_run_id_that_no_group_should_have(run_id: str) -> None:
    with pytest.raises(SettingError, match="--run-id"):
        replay_of(quick_pipeline(["flip"]), run_id=run_id)


def test_nothing_lies_between() -> None:
    with pytest.raises(SettingError, match="nothing lies between"):
        Period(since="-1h", until="-2h", since_ns=2, until_ns=1)
