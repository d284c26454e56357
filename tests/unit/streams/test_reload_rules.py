"""What a file may say anew of pipelines that run, and what is refused with its line."""

from pathlib import Path
from textwrap import dedent

import pytest

from streams.contract.errors import SettingError
from streams.pipeline_settings import PipelineSettings, load_pipelines
from streams.reload_rules import PipelineFile, Serves, changes

BEFORE = """\
    [[pipeline]]
    name = "a"
    output = "out.a"
    operators = [{ op = "flip" }]
"""
TWO = (
    BEFORE
    + """\
    [[pipeline]]
    name = "b"
    output = "out.b"
"""
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p.toml"


def read_again(path: Path, before: str, after: str, *, serves: Serves = "only") -> tuple[PipelineSettings, ...]:
    path.write_text(dedent(before))
    running = load_pipelines(path)[: 1 if serves == "one" else None]
    path.write_text(dedent(after))
    return PipelineFile(path=path, serves=serves).read_again(running)


def refused(path: Path, before: str, after: str, *, serves: Serves = "only") -> list[str]:
    with pytest.raises(SettingError) as caught:
        read_again(path, before, after, serves=serves)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def test_operators_cameras_and_limits_may_change(path: Path) -> None:
    after = """\
    [[pipeline]]
    name = "a"
    output = "out.a"
    cameras = ["gate-*"]
    frame_timeout_ms = 100
    max_pixels = 1000
    format = "webp"
    quality = 50
    operators = [{ op = "flip" }, { op = "blur" }]
    """
    (before,), (read,) = read_again(path, BEFORE, BEFORE), read_again(path, BEFORE, after)

    assert changes(before, read) == ["cameras", "frame_timeout_ms", "max_pixels", "format", "quality", "operators"]
    assert changes(before, before) == []


def test_group_and_topics_may_not_and_all_that_is_wrong_is_told_at_once(path: Path) -> None:
    after = """\
    [[pipeline]]
    name = "a"
    group = "team"
    input = "raw"
    events = "found"
    dead_letter = "dead"
    quality = 0
    operators = [{ op = "blurr" }]
    """

    assert refused(path, BEFORE, after) == [
        '1: pipeline[0].output = "frames.processed": is "out.a" while the pipeline runs; restart the worker to change '
        "it",
        '3: pipeline[0].group = "team": is "framelane.a" while the pipeline runs; restart the worker to change it',
        '4: pipeline[0].input = "raw": is "frames.raw" while the pipeline runs; restart the worker to change it',
        '5: pipeline[0].events = "found": is "frames.events" while the pipeline runs; restart the worker to change it',
        '6: pipeline[0].dead_letter = "dead": is "frames.dead-letter" while the pipeline runs; restart the worker to '
        "change it",
        "7: pipeline[0].quality = 0: expected a number from 1 to 100",
        "8: pipeline[0].operators[0].op = \"blurr\": there is no operator 'blurr'; did you mean 'blur'?",
    ]


def test_a_topic_of_the_wrong_type_is_told_once(path: Path) -> None:
    told = refused(path, BEFORE, BEFORE.replace('"out.a"', "3"))

    assert told == ["3: pipeline[0].output = 3: expected text"]


@pytest.mark.parametrize("serves", ["only", "all"])
def test_a_name_may_not_change(path: Path, serves: Serves) -> None:
    (told,) = refused(path, BEFORE, BEFORE.replace('"a"', '"c"'), serves=serves)

    assert told.startswith('2: pipeline[0].name = "c": is new while "a" is gone, and a pipeline cannot change its name')
    assert ("in two steps" in told) == (serves == "all")


def test_one_of_the_file_sees_to_itself(path: Path) -> None:
    (read,) = read_again(path, TWO, TWO.replace('"b"', '"c"').replace("out.b", "elsewhere"), serves="one")

    assert read.name == "a"


def test_one_of_the_file_that_is_gone_from_it(path: Path) -> None:
    told = refused(path, TWO, BEFORE.replace('"a"', '"b"').replace("out.a", "out.b"), serves="one")

    assert told == ['1: pipeline lacks "a", which runs; stop the worker to end it']


def test_a_worker_of_one_serves_no_second(path: Path) -> None:
    (told,) = refused(path, BEFORE, TWO)

    assert told.startswith('6: pipeline[1].name = "b": is not served, for this worker was started with "a" alone;')


def test_who_supervises_all_takes_new_ones_and_lets_others_go(path: Path) -> None:
    assert [each.name for each in read_again(path, BEFORE, TWO, serves="all")] == ["a", "b"]
    assert [each.name for each in read_again(path, TWO, BEFORE, serves="all")] == ["a"]


def test_how_to_reach_kafka_may_not_change_where_the_file_said_it(path: Path) -> None:
    path.write_text(dedent(BEFORE))
    running = load_pipelines(path)
    path.write_text(dedent(BEFORE) + '[kafka]\nbootstrap = "b:1"\n')

    assert PipelineFile(path=path, serves="only").read_again(running) == running
    with pytest.raises(SettingError, match=r"p\.toml:5: kafka has changed: it is read at the start only; restart"):
        PipelineFile(path=path, serves="only", kafka={"bootstrap": "a:1"}).read_again(running)
