"""What stands where it can do nothing is refused, and what may be right is not."""

from pathlib import Path

import pytest

from streams.contract.errors import SettingError
from streams.operators import OPERATORS
from streams.operators.dwell import Dwell
from streams.operators.line_count import LineCount
from streams.operators.order import lacks_tracks
from streams.operators.track import Track
from streams.pipeline import Pipeline
from streams.pipeline_settings import OperatorSettings, PipelineSettings, load_pipelines, quick_pipeline

GIVES_NONE = [each for each in OPERATORS.values() if each is not Track]
LINE = "line_count:lines=[[[0, 0.5], [1, 0.5]]]"
MEND = "nothing before it gives any, so it could tell nothing: put track before it"


@pytest.mark.parametrize("operator", [LineCount, Dwell])
def test_none_of_ours_but_track_will_do(operator: type[object]) -> None:
    assert MEND in lacks_tracks(operator, [])
    assert MEND in lacks_tracks(operator, GIVES_NONE)
    assert lacks_tracks(operator, [*GIVES_NONE, Track]) == lacks_tracks(operator, [Track, *GIVES_NONE]) == ""


@pytest.mark.parametrize("operator", [each for each in OPERATORS.values() if each not in (LineCount, Dwell)])
def test_others_need_none(operator: type[object]) -> None:
    assert lacks_tracks(operator, []) == ""


@pytest.mark.parametrize("before", ["track", "odd_operators:Finds"])
def test_what_others_have_made_may_give_ids_as_well(before: str) -> None:
    assert len(Pipeline(quick_pipeline([before, "blur", "dwell", LINE])).operators) == 4


@pytest.mark.parametrize("ops", [["dwell"], ["motion", LINE], ["motion", LINE, "track"]])
def test_the_quick_form(ops: list[str]) -> None:
    with pytest.raises(SettingError) as caught:
        quick_pipeline(ops)
    wrong = next(op for op in ops if op in ("dwell", LINE))
    assert str(caught.value).startswith(f"--op {wrong!r}: ")
    assert MEND in str(caught.value)


def test_settings_that_were_made_in_code() -> None:
    settings = PipelineSettings(name="door", operators=(OperatorSettings("motion"), OperatorSettings("dwell")))

    with pytest.raises(SettingError, match=r"pipeline 'door': operator 1, dwell: goes by the ids of tracks, and noth"):
        Pipeline(settings)


def test_a_file_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    entries = '  { op = "motion" },\n  { op = "dwell" },\n  { op = "track" },\n'
    path.write_text(f'[[pipeline]]\nname = "door"\noperators = [\n{entries}]\n')

    with pytest.raises(SettingError) as caught:
        load_pipelines(path)

    assert str(caught.value) == f"{path}:5: pipeline[0].operators[1] goes by the ids of tracks, and {MEND}"


@pytest.mark.parametrize("mistaken", ['{ op = "track", min_hits = 0 }', '{ op = "trakc" }', "3"])
def test_a_mistake_in_what_may_be_track_is_the_only_one_that_is_told(tmp_path: Path, mistaken: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(f'[[pipeline]]\nname = "door"\noperators = [{mistaken}, {{ op = "dwell" }}]\n')

    with pytest.raises(SettingError) as caught:
        load_pipelines(path)

    assert len(str(caught.value).splitlines()) == 1
    assert "operators[0]" in str(caught.value)
