"""What may be a shadow of what, and where it writes to."""

from pathlib import Path

import pytest

from streams.contract.errors import SettingError
from streams.pipeline_settings import PipelineSettings, load_pipelines, quick_pipeline
from streams.shadow_settings import MAX_AGE_MS, Shadow, ShadowFile

LIVE = (
    PipelineSettings(name="gate", output="out.gate", events="events.gate", frame_timeout_ms=1000),
    PipelineSettings(name="yard", input="frames.yard", output="out.yard"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new.toml"


def put(path: Path, name: str, *lines: str) -> None:
    with path.open("a") as file:
        file.write("\n".join(["[[pipeline]]", f'name = "{name}"', *lines, ""]))


def refused(path: Path, *live: PipelineSettings, only: str | None = None) -> str:
    with pytest.raises(SettingError) as caught:
        ShadowFile(path=path, only=only).read(live or LIVE)
    return str(caught.value)


def test_a_shadow_has_a_name_a_group_and_topics_of_its_own(path: Path) -> None:
    put(path, "gate", 'output = "out.gate"', 'group = "framelane.gate"', "quality = 40", "frame_timeout_ms = 500")

    (shadow,) = ShadowFile(path=path).read(LIVE)

    settings = shadow.settings
    assert (settings.name, settings.group) == ("gate-shadow", "framelane-shadow.gate")
    assert shadow.topics == ("frames.shadow.gate", "frames.shadow.gate.events", "frames.shadow.gate.dead-letter")
    assert (settings.output, settings.events, settings.dead_letter) == shadow.topics
    assert (settings.input, settings.quality) == ("frames.raw", 40)
    # The one for its own run and the one for the run of what is live.
    assert settings.frame_timeout_ms == 1500
    assert settings.hash == load_pipelines(path)[0].hash
    assert settings.label == f"gate-shadow@{settings.hash}"


def test_a_shadow_without_pictures_has_no_topic_for_them(path: Path) -> None:
    put(path, "gate", 'output = ""')

    (shadow,) = ShadowFile(path=path).read(LIVE)

    assert shadow.topics == ("frames.shadow.gate.events", "frames.shadow.gate.dead-letter")


@pytest.mark.parametrize(("given", "used"), [(0, MAX_AGE_MS), (500, 500), (MAX_AGE_MS + 1, MAX_AGE_MS)])
def test_a_shadow_skips_what_is_old(given: int, used: int) -> None:
    shadow = Shadow(candidate=PipelineSettings(name="gate", max_age_ms=given), live=LIVE[0])

    assert shadow.settings.max_age_ms == used


@pytest.mark.parametrize(
    ("candidate", "live", "used"),
    [((), (), ()), (("a*",), ("a*",), ("a*",)), (("a*",), ("b*",), ()), ((), ("b*",), ())],
)
def test_it_takes_the_cameras_of_both(candidate: tuple[str, ...], live: tuple[str, ...], used: tuple[str, ...]) -> None:
    shadow = Shadow(
        candidate=PipelineSettings(name="gate", cameras=candidate), live=PipelineSettings(name="gate", cameras=live)
    )

    assert shadow.settings.cameras == used


def test_those_of_the_file_alone_have_a_shadow(path: Path) -> None:
    put(path, "yard", 'input = "frames.yard"')

    assert [shadow.live for shadow in ShadowFile(path=path).read(LIVE)] == [LIVE[1]]


def test_of_a_file_with_several_the_one_that_is_asked_for(path: Path) -> None:
    put(path, "yard", 'input = "frames.yard"')
    put(path, "gate")

    assert [shadow.live for shadow in ShadowFile(path=path, only="gate").read(LIVE[:1])] == [LIVE[0]]


def test_a_name_that_does_not_run_is_refused_with_its_line(path: Path) -> None:
    put(path, "gaet")

    told = refused(path)

    assert told.startswith(f"{path}:2: ")
    assert '"gaet": is no pipeline that runs here: expected "gate" or "yard"' in told


def test_the_one_that_is_asked_for_has_to_be_there(path: Path) -> None:
    put(path, "yard", 'input = "frames.yard"')

    assert refused(path, LIVE[0], only="gate") == f'{path}: has no pipeline "gate"; it has "yard"'


@pytest.mark.parametrize("lines", [(), ('input = "frames.other"',)])
def test_other_frames_are_refused(path: Path, lines: tuple[str, ...]) -> None:
    put(path, "yard", *lines)

    assert 'expected "frames.yard", as it runs: a shadow has the same frames' in refused(path)


def test_mistakes_of_the_file_are_told_with_it(path: Path) -> None:
    put(path, "gaet", "quality = 0")

    told = refused(path).splitlines()

    assert len(told) == 2
    assert any("quality = 0" in line for line in told)


def test_topics_and_names_of_what_runs_are_refused(path: Path) -> None:
    put(path, "gate")
    other = PipelineSettings(name="gate-shadow", output="frames.shadow.gate", group="g")

    told = refused(path, LIVE[0], other).splitlines()

    assert len(told) == 2
    assert "writes to frames.shadow.gate, a topic of pipeline 'gate-shadow'" in told[0]
    assert "is called 'gate-shadow'" in told[1]


def test_what_waits_for_programs_elsewhere_is_refused(path: Path) -> None:
    put(path, "quick", 'operators = [{ op = "remote", listen = "127.0.0.1:8001" }]')

    told = refused(path, quick_pipeline(["remote:listen='127.0.0.1:8001'"])).splitlines()

    assert len(told) == 2
    assert all("waits for programs elsewhere" in line for line in told)
